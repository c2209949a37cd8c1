package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** What a worker and its callers know of each other; see {@link PythonWorker} for the protocol. */
record WorkerSecret(String text) {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String ALGORITHM = "HmacSHA256";
  private static final int PROOF = 64;

  /** 256 random bits. */
  static WorkerSecret random() {
    return new WorkerSecret(randomHex(32));
  }

  /** What Py4J asks for on each connection. */
  String token() {
    return hmac("token");
  }

  /** The message that asks for a JSON object's worth. */
  static String request(String json) {
    return randomHex(16) + json;
  }

  /**
   * The JSON object of an answer.
   *
   * @throws SealaneException BRIDGE_FAILED when it is not the answer to this request by someone who
   *     knows the secret
   */
  String open(String method, String request, String answer) {
    if (answer.length() > PROOF) {
      String json = answer.substring(PROOF);
      byte[] expected = bytes(hmac(method + "\n" + request + "\n" + json));
      if (MessageDigest.isEqual(expected, bytes(answer.substring(0, PROOF)))) {
        return json;
      }
    }
    throw new SealaneException(
        ErrorCode.BRIDGE_FAILED, "an answer came from someone who is not the Python worker");
  }

  private String hmac(String message) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(bytes(text), ALGORITHM));
      return HexFormat.of().formatHex(mac.doFinal(bytes(message)));
    } catch (GeneralSecurityException absent) {
      throw new SealaneException(ErrorCode.BRIDGE_FAILED, ALGORITHM + " is not there", absent);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String randomHex(int bytes) {
    byte[] bits = new byte[bytes];
    RANDOM.nextBytes(bits);
    return HexFormat.of().formatHex(bits);
  }

  @Override
  public String toString() {
    return "WorkerSecret";
  }
}
