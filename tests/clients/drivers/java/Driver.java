import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** The protocol of ../../suite/driver.mjs, for every client of Java. */
final class Driver {
  /** One upload: a PUT. `authorization` is null for none; `credentials` are for clients that repeat by themselves. */
  record Upload(String url, byte[] content, boolean isChunked, String authorization, String credentials) {
    String user() {
      return credentials.split(":")[0];
    }

    String password() {
      return credentials.split(":")[1];
    }
  }

  interface Client {
    String version() throws Exception;

    /** Whether the client answers a 401 by itself, with the credentials that it was given. */
    boolean repeatsByItself();

    /** The status, once the response is read to its end. */
    int put(Upload upload) throws Exception;
  }

  static void run(Client client) throws Exception {
    System.out.println("ready\t" + client.version());
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      String[] f = line.split("\t");
      System.out.println(exchange(client, f[0], f[1], f[2], f[3]) + "\t" + exchange(client, "-", "length", f[4], f[5]));
    }
    System.exit(0);
  }

  private static String exchange(Client client, String credentials, String framing, String url, String file) {
    try {
      byte[] content = Files.readAllBytes(Path.of(file));
      boolean isChunked = framing.equals("chunked");
      boolean isOwn = client.repeatsByItself() && !credentials.equals("-");
      int status = client.put(new Upload(url, content, isChunked, null, isOwn ? credentials : null));
      if (status != 401 || isOwn || credentials.equals("-")) return status + "\t";
      String basic = "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
      return client.put(new Upload(url, content, isChunked, basic, null)) + "\tcaller";
    } catch (Throwable error) {
      return "0\t" + error.toString().replaceAll("\\s+", " ");
    }
  }
}
