# Ruby's Net::HTTP behind the protocol of ../suite/driver.mjs.
#
#   ruby client.rb plain|expect
require "net/http"
require "stringio"
require "uri"

$stdout.sync = true
MODE = ARGV[0]

def session(uri)
  @session ||= Net::HTTP.new(uri.host, uri.port, nil).tap do |http|
    http.continue_timeout = 1 if MODE == "expect"
    http.max_retries = 0
    http.keep_alive_timeout = 30
    http.start
  end
end

def put(url, content, framing, credentials)
  uri = URI(url)
  request = Net::HTTP::Put.new(uri)
  request.content_type = "application/octet-stream"
  request["Expect"] = "100-continue" if MODE == "expect"
  request.basic_auth(*credentials.split(":")) unless credentials == "-"
  request.body_stream = StringIO.new(content)
  if framing == "chunked"
    request["Transfer-Encoding"] = "chunked"
  else
    request.content_length = content.bytesize
  end
  session(uri).request(request).code
end

def upload(credentials, framing, url, file)
  content = File.binread(file)
  status = put(url, content, framing, "-")
  return [status, ""] if status != "401" || credentials == "-"

  [put(url, content, framing, credentials), "caller"]
rescue StandardError => e
  ["0", "#{e.class}: #{e.message}".gsub(/\s+/, " ")]
end

puts "ready\t#{RUBY_VERSION}"
while (line = $stdin.gets)
  credentials, framing, url, file, next_url, next_file = line.chomp.split("\t")
  puts (upload(credentials, framing, url, file) + upload("-", "length", next_url, next_file)).join("\t")
end
