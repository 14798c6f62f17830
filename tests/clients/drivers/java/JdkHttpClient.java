import java.io.ByteArrayInputStream;
import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** java.net.http.HttpClient: `JdkHttpClient plain|expect`. */
final class JdkHttpClient implements Driver.Client {
  private final boolean expects;
  private Driver.Upload current;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .authenticator(
              new Authenticator() {
                @Override
                protected PasswordAuthentication getPasswordAuthentication() {
                  if (current.credentials() == null) return null;
                  return new PasswordAuthentication(current.user(), current.password().toCharArray());
                }
              })
          .build();

  private JdkHttpClient(boolean expects) {
    this.expects = expects;
  }

  @Override
  public String version() {
    return System.getProperty("java.version");
  }

  @Override
  public boolean repeatsByItself() {
    return true;
  }

  @Override
  public int put(Driver.Upload upload) throws Exception {
    current = upload;
    var body =
        upload.isChunked()
            ? HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(upload.content()))
            : HttpRequest.BodyPublishers.ofByteArray(upload.content());
    var request = HttpRequest.newBuilder(URI.create(upload.url())).PUT(body).expectContinue(expects).build();
    return client.send(request, HttpResponse.BodyHandlers.ofByteArray()).statusCode();
  }

  public static void main(String[] args) throws Exception {
    Driver.run(new JdkHttpClient(args[0].equals("expect")));
  }
}
