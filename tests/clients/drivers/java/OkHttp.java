import java.util.concurrent.TimeUnit;
import okhttp3.Credentials;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.internal.Version;
import okio.BufferedSink;

/** okhttp: `OkHttp plain|expect`. */
final class OkHttp implements Driver.Client {
  private final boolean expects;
  private Driver.Upload current;
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .retryOnConnectionFailure(false)
          .readTimeout(60, TimeUnit.SECONDS)
          .writeTimeout(60, TimeUnit.SECONDS)
          .authenticator(
              (route, response) -> {
                if (current.credentials() == null || response.request().header("Authorization") != null) return null;
                String basic = Credentials.basic(current.user(), current.password());
                return response.request().newBuilder().header("Authorization", basic).build();
              })
          .build();

  private OkHttp(boolean expects) {
    this.expects = expects;
  }

  @Override
  public String version() {
    return Version.userAgent().replace("okhttp/", "");
  }

  @Override
  public boolean repeatsByItself() {
    return true;
  }

  @Override
  public int put(Driver.Upload upload) throws Exception {
    current = upload;
    var type = MediaType.parse("application/octet-stream");
    var body =
        new RequestBody() {
          @Override
          public MediaType contentType() {
            return type;
          }

          @Override
          public long contentLength() {
            return upload.isChunked() ? -1 : upload.content().length;
          }

          @Override
          public void writeTo(BufferedSink sink) throws java.io.IOException {
            sink.write(upload.content());
          }
        };
    var request = new Request.Builder().url(upload.url()).put(body);
    if (expects) request.header("Expect", "100-continue");
    try (var response = client.newCall(request.build()).execute()) {
      response.body().bytes();
      return response.code();
    }
  }

  public static void main(String[] args) throws Exception {
    Driver.run(new OkHttp(args[0].equals("expect")));
  }
}
