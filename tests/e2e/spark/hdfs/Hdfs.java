import java.io.OutputStream;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/**
 * A name node and a data node on loopback until standard input ends; prints the URI of the file
 * system and that of WebHDFS.
 */
public class Hdfs {
  public static void main(String[] args) throws Exception {
    Configuration conf = new Configuration();
    conf.set("hdfs.minidfs.basedir", Path.of(args[0]).toAbsolutePath().toString());
    conf.set("dfs.permissions.enabled", "false");
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(conf).numDataNodes(1).nameNodePort(0).build()) {
      cluster.waitActive();
      int web = cluster.getNameNode().getHttpAddress().getPort();
      System.out.println("hdfs://127.0.0.1:" + cluster.getNameNodePort());
      System.out.println("http://127.0.0.1:" + web + "/webhdfs/v1");
      System.in.transferTo(OutputStream.nullOutputStream());
    }
    System.exit(0);
  }
}
