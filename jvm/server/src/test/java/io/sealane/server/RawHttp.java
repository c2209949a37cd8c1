package io.sealane.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** HTTP/1.1 as it is written: no client between the test and the server makes a path better. */
record RawHttp(int port) {
  /**
   * What a request was answered.
   *
   * @param status of HTTP; 0 where the connection was closed without an answer
   * @param grpc status of gRPC, where it comes with the headers, as that of a refusal does
   */
  record Answer(int status, String grpc) {}

  Answer ask(String method, String target, Map<String, String> headers, byte[] body)
      throws IOException {
    StringBuilder head = new StringBuilder();
    head.append(method).append(' ').append(target).append(" HTTP/1.1\r\nHost: x\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    head.append("Content-Length: ").append(body.length).append("\r\nConnection: close\r\n\r\n");
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(20_000);
      OutputStream out = socket.getOutputStream();
      out.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
      out.write(body);
      out.flush();
      return read(socket);
    }
  }

  private static Answer read(Socket socket) throws IOException {
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
    String first = in.readLine();
    if (first == null) {
      return new Answer(0, "");
    }
    String grpc = "";
    for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
      if (line.startsWith("grpc-status:")) {
        grpc = line.substring("grpc-status:".length()).strip();
      }
    }
    return new Answer(Integer.parseInt(first.split(" ", 3)[1]), grpc);
  }
}
