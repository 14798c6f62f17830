<?php

// Guzzle behind the protocol of ../suite/driver.mjs.
//
//   php guzzle.php default|off

require "GuzzleHttp/autoload.php";

use GuzzleHttp\Client;
use GuzzleHttp\ClientInterface;
use GuzzleHttp\Psr7\PumpStream;
use GuzzleHttp\Psr7\Utils;

$options = ["http_errors" => false, "proxy" => ""];
if ($argv[1] === "off") {
    $options["expect"] = false;
}
$client = new Client($options);

function put(string $url, string $file, string $framing, string $credentials): int
{
    global $client;
    $body = Utils::streamFor(Utils::tryFopen($file, "r"));
    // A stream of unknown size goes in chunks.
    $options = ["body" => $framing === "chunked" ? new PumpStream(fn ($n) => $body->eof() ? false : $body->read($n)) : $body];
    if ($credentials !== "-") {
        $options["auth"] = explode(":", $credentials);
    }
    return $client->put($url, $options)->getStatusCode();
}

function upload(string $credentials, string $framing, string $url, string $file): string
{
    try {
        $status = put($url, $file, $framing, "-");
        if ($status !== 401 || $credentials === "-") {
            return "$status\t";
        }
        return put($url, $file, $framing, $credentials) . "\tcaller";
    } catch (Throwable $error) {
        return "0\t" . preg_replace('/\s+/', " ", $error->getMessage());
    }
}

$version = ClientInterface::MAJOR_VERSION;
$curl = curl_version()["version"];
echo "ready	$version on PHP ", PHP_VERSION, ", libcurl $curl\n";
while (($line = fgets(STDIN)) !== false) {
    [$credentials, $framing, $url, $file, $nextUrl, $nextFile] = explode("\t", rtrim($line, "\n"));
    echo upload($credentials, $framing, $url, $file), "\t", upload("-", "length", $nextUrl, $nextFile), "\n";
}
