import java.net.URI;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducers;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.util.VersionInfo;

/** Apache HttpClient 5, asynchronous: `ApacheHc5Async plain|expect`. */
final class ApacheHc5Async implements Driver.Client {
  private final RequestConfig config;
  private final CloseableHttpAsyncClient client = HttpAsyncClients.custom().disableAutomaticRetries().build();

  private ApacheHc5Async(boolean expects) {
    config = RequestConfig.custom().setExpectContinueEnabled(expects).build();
    client.start();
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
    var request = new BasicHttpRequest(Method.PUT, URI.create(upload.url()));
    AsyncEntityProducer entity =
        new BasicAsyncEntityProducer(
            upload.content(), ContentType.APPLICATION_OCTET_STREAM, upload.isChunked());
    var context = HttpClientContext.create();
    context.setRequestConfig(config);
    if (upload.credentials() != null) {
      var credentials = new BasicCredentialsProvider();
      credentials.setCredentials(
          new AuthScope(null, -1), new UsernamePasswordCredentials(upload.user(), upload.password().toCharArray()));
      context.setCredentialsProvider(credentials);
    }
    return client
        .execute(new BasicRequestProducer(request, entity), SimpleResponseConsumer.create(), context, null)
        .get(60, TimeUnit.SECONDS)
        .getCode();
  }

  public static void main(String[] args) throws Exception {
    Driver.run(new ApacheHc5Async(args[0].equals("expect")));
  }
}
