import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;

/** java.net.HttpURLConnection: `UrlConnection plain|expect`. */
final class UrlConnection implements Driver.Client {
  private final boolean expects;

  private UrlConnection(boolean expects) {
    this.expects = expects;
  }

  @Override
  public String version() {
    return System.getProperty("java.version");
  }

  @Override
  public boolean repeatsByItself() {
    return false;
  }

  @Override
  public int put(Driver.Upload upload) throws IOException {
    var connection = (HttpURLConnection) new URL(upload.url()).openConnection();
    connection.setRequestMethod("PUT");
    connection.setDoOutput(true);
    if (expects) connection.setRequestProperty("Expect", "100-continue");
    if (upload.authorization() != null) connection.setRequestProperty("Authorization", upload.authorization());
    if (upload.isChunked()) connection.setChunkedStreamingMode(65536);
    else connection.setFixedLengthStreamingMode(upload.content().length);
    try (OutputStream body = connection.getOutputStream()) {
      body.write(upload.content());
    } catch (IOException error) {
      // "Server rejected operation" in place of a 100: the response is there to be read.
      return status(connection, error);
    }
    return status(connection, null);
  }

  private static int status(HttpURLConnection connection, IOException cause) throws IOException {
    try {
      int status = connection.getResponseCode();
      if (status == -1 && cause != null) throw cause;
      try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
        if (body != null) body.readAllBytes();
      }
      return status;
    } catch (IOException error) {
      if (cause != null) error.addSuppressed(cause);
      throw error;
    }
  }

  public static void main(String[] args) throws Exception {
    Driver.run(new UrlConnection(args[0].equals("expect")));
  }
}
