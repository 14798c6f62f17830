import java.io.ByteArrayInputStream;
import java.net.URI;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.UsernamePasswordCredentials;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.HttpPut;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.InputStreamEntity;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import org.apache.http.util.VersionInfo;

/** Apache HttpClient 4: `ApacheHc4 plain|expect`. */
final class ApacheHc4 implements Driver.Client {
  private final RequestConfig config;
  private final CloseableHttpClient client = HttpClients.custom().disableAutomaticRetries().build();

  private ApacheHc4(boolean expects) {
    config = RequestConfig.custom().setExpectContinueEnabled(expects).build();
  }

  @Override
  public String version() {
    return VersionInfo.loadVersionInfo("org.apache.http.client", getClass().getClassLoader()).getRelease();
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
            ? new InputStreamEntity(new ByteArrayInputStream(upload.content()))
            : new ByteArrayEntity(upload.content()));
    var context = HttpClientContext.create();
    if (upload.credentials() != null) {
      var credentials = new BasicCredentialsProvider();
      credentials.setCredentials(
          AuthScope.ANY, new UsernamePasswordCredentials(upload.user(), upload.password()));
      context.setCredentialsProvider(credentials);
    }
    try (var response = client.execute(request, context)) {
      EntityUtils.consume(response.getEntity());
      return response.getStatusLine().getStatusCode();
    }
  }

  public static void main(String[] args) throws Exception {
    Driver.run(new ApacheHc4(args[0].equals("expect")));
  }
}
