# Perl's clients behind the protocol of ../suite/driver.mjs.
#
#   perl client.pl LWP|HTTP::Tiny plain|expect
use strict;
use warnings;
use MIME::Base64 qw(encode_base64);

my ($client, $mode) = @ARGV;
my %expectation = $mode eq "expect" ? (Expect => "100-continue") : ();
$| = 1;

sub pieces {
    my ($content) = @_;
    my $start = 0;
    return sub {
        my $piece = substr($content, $start, 65536);
        $start += 65536;
        return $piece;
    };
}

# Those of the upload at hand; `credentials` would have LWP send them unasked from the second upload on.
sub Agent::get_basic_credentials { return @Agent::credentials }

my %put = (
    "HTTP::Tiny" => sub {
        require HTTP::Tiny;
        my $http = HTTP::Tiny->new(timeout => 30, proxy => undef, http_proxy => undef);
        return sub {
            my ($url, $content, $framing, $credentials) = @_;
            my %fields = ("Content-Type" => "application/octet-stream", %expectation);
            $fields{Authorization} = "Basic " . encode_base64($credentials, "") if $credentials ne "-";
            my $body = $framing eq "chunked" ? pieces($content) : $content;
            my $answer = $http->put($url, { headers => \%fields, content => $body });
            die $answer->{content} if $answer->{status} == 599;
            return $answer->{status};
        };
    },
    "LWP" => sub {
        require LWP::UserAgent;
        @Agent::ISA = ("LWP::UserAgent");
        my $agent = Agent->new(keep_alive => 4, timeout => 30);
        return sub {
            my ($url, $content, $framing, $credentials) = @_;
            local @Agent::credentials = $credentials eq "-" ? () : split /:/, $credentials;
            my $body = $framing eq "chunked" ? pieces($content) : $content;
            my @fields = ("Content-Type" => "application/octet-stream", %expectation);
            my $answer = $agent->request(HTTP::Request->new(PUT => $url, \@fields, $body));
            die $answer->content if ($answer->header("Client-Warning") // "") eq "Internal response";
            return $answer->code;
        };
    },
);
my $put = $put{$client}->();

sub upload {
    my ($credentials, $framing, $url, $file) = @_;
    open my $handle, "<:raw", $file or die "$file: $!";
    my $content = do { local $/; <$handle> };
    # LWP repeats an upload by itself.
    my $own = $client eq "LWP" ? $credentials : "-";
    my @seen = eval {
        my $status = $put->($url, $content, $framing, $own);
        return ($status, "") if $status != 401 || $credentials eq $own;
        return ($put->($url, $content, $framing, $credentials), "caller");
    };
    return @seen if @seen;
    (my $message = $@) =~ s/\s+/ /g;
    return (0, $message);
}

my $version = $client eq "LWP" ? $LWP::VERSION : $HTTP::Tiny::VERSION;
print "ready\t$version\n";
while (my $line = <STDIN>) {
    chomp $line;
    my ($credentials, $framing, $url, $file, $next_url, $next_file) = split /\t/, $line;
    print join("\t", upload($credentials, $framing, $url, $file), upload("-", "length", $next_url, $next_file)), "\n";
}
