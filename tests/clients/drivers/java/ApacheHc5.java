import java.io.ByteArrayInputStream;
import java.net.URI;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.classic.methods.HttpPut;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.util.VersionInfo;

/** Apache HttpClient 5, classic: `ApacheHc5 plain|expect`. */
final class ApacheHc5 implements Driver.Client {
  private final RequestConfig config;
  private final CloseableHttpClient client = HttpClients.custom().disableAutomaticRetries().build();

  private ApacheHc5(boolean expects) {
    config = RequestConfig.custom().setExpectContinueEnabled(expects).build();
  }

  @Override
  public String version() {
    return VersionInfo.loadVersionInfo("org.apache.hc.client5", getClass().getClassLoader()).getRelease();
  }

  @Override
  public boolean repeatsByItself() {
    return true;
  }

  @Override
  public int put(Driver.Upload upload) throws Exception {
    var request = new HttpPut(URI.create(upload.url()));
    request.setConfig(config);
    request.setEntity(
        upload.isChunked()
            ? new InputStreamEntity(new ByteArrayInputStream(upload.content()), ContentType.APPLICATION_OCTET_STREAM)
            : new ByteArrayEntity(upload.content(), ContentType.APPLICATION_OCTET_STREAM));
    var context = HttpClientContext.create();
    if (upload.credentials() != null) {
      var credentials = new BasicCredentialsProvider();
      credentials.setCredentials(
          new AuthScope(null, -1), new UsernamePasswordCredentials(upload.user(), upload.password().toCharArray()));
      context.setCredentialsProvider(credentials);
    }
    return client.execute(
        request,
        context,
        response -> {
          EntityUtils.consume(response.getEntity());
          return response.getCode();
        });
  }

  public static void main(String[] args) throws Exception {
    Driver.run(new ApacheHc5(args[0].equals("expect")));
  }
}
