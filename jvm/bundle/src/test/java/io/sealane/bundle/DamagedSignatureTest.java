package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** One changed byte of a signature or of a certificate in it is a refusal, never anything else. */
class DamagedSignatureTest {
  private static final Path KEYS = Corpus.ROOT.resolve("keys");
  private static final TrustedSigners SIGNERS =
      TrustedSigners.ofFiles(
          List.of(KEYS.resolve("signer.pub.pem")), List.of(KEYS.resolve("root.crt.pem")), Set.of());

  private static Path good(String bundle) {
    return Corpus.ROOT.resolve("bundles/good").resolve(bundle);
  }

  private static Map<String, String> digests(String bundle) throws IOException {
    byte[] bytes = Files.readAllBytes(good(bundle).resolve("sealane.json"));
    Map<String, String> digests = new HashMap<>();
    new ManifestParser(Limits.defaults())
        .parse(ByteBuffer.wrap(bytes))
        .files()
        .forEach(file -> digests.put(file.path(), file.sha256()));
    digests.put("sealane.json", HexFormat.of().formatHex(FileCapture.sha256().digest(bytes)));
    return digests;
  }

  private static void assertRefused(byte[] bytes, Map<String, String> digests, String what) {
    Throwable thrown =
        catchThrowable(() -> SignatureCheck.check(bytes, digests, SIGNERS, Limits.defaults()));
    assertThat(thrown).as(what).isInstanceOf(Refusal.class);
    assertThat(((Refusal) thrown).code())
        .isIn(ErrorCode.SIGNING_INVALID, ErrorCode.SIGNER_UNTRUSTED);
  }

  @Test
  void noByteOfASignatureCanChange() throws IOException {
    Map<String, String> digests = digests("signed");
    byte[] bytes = Files.readAllBytes(good("signed").resolve("bundle.sig"));
    SignatureCheck.check(bytes, digests, SIGNERS, Limits.defaults());
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] ^= 1;
      assertRefused(bytes, digests, "byte " + i);
      bytes[i] ^= 1;
    }
  }

  @Test
  void aDamagedCertificateIsRefused() throws IOException {
    Map<String, String> digests = digests("signed-chain");
    Path file = good("signed-chain").resolve("bundle.sig");
    String text = Files.readString(file);
    byte[] intact = text.getBytes(StandardCharsets.UTF_8);
    SignatureCheck.check(intact, digests, SIGNERS, Limits.defaults());
    Random random = new Random(7);
    byte[] masks = {1, 2, 0x20, (byte) 0x80, (byte) 0xff};
    for (byte[] der : SigningEnvelopeBytes.certificates(text)) {
      String before = Base64.getEncoder().encodeToString(der);
      for (int i = 0; i < 2000; i++) {
        byte[] damaged = der.clone();
        for (int changes = random.nextInt(3); changes >= 0; changes--) {
          damaged[random.nextInt(der.length)] ^= masks[random.nextInt(masks.length)];
        }
        if (!Arrays.equals(damaged, der)) {
          String after = Base64.getEncoder().encodeToString(damaged);
          byte[] bytes = text.replace(before, after).getBytes(StandardCharsets.UTF_8);
          assertRefused(bytes, digests, HexFormat.of().formatHex(damaged));
        }
      }
    }
  }

  /** The certificates of a signature, as they stand in its JSON. */
  private static final class SigningEnvelopeBytes {
    static List<byte[]> certificates(String text) {
      Map<String, ?> top =
          Corpus.object(Corpus.parse(text.getBytes(StandardCharsets.UTF_8), "sig"));
      Map<String, ?> material = Corpus.object(top.get("verificationMaterial"));
      Map<String, ?> chain = Corpus.object(material.get("x509CertificateChain"));
      return Corpus.<Map<String, Object>>list(chain.get("certificates")).stream()
          .map(each -> Base64.getDecoder().decode(String.valueOf(each.get("rawBytes"))))
          .toList();
    }
  }
}
