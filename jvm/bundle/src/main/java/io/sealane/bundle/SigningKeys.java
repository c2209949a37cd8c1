package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Keys and certificates of signers (docs/bundle-format.md §7.2), with the JDK alone. */
final class SigningKeys {
  /** The curves, each with the signature algorithm that a key on it decides. */
  private static final List<Curve> CURVES =
      List.of(
          curve("secp256r1", "SHA256withECDSA"),
          curve("secp384r1", "SHA384withECDSA"),
          curve("secp521r1", "SHA512withECDSA"));

  private static final int PEM_LINE = 64;

  private record Curve(ECParameterSpec parameters, String algorithm) {}

  private SigningKeys() {}

  private static Curve curve(String name, String algorithm) {
    try {
      AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
      parameters.init(new ECGenParameterSpec(name));
      return new Curve(parameters.getParameterSpec(ECParameterSpec.class), algorithm);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("the JDK has the curve " + name, e);
    }
  }

  private static @Nullable Curve curveOf(PublicKey key) {
    if (key instanceof ECPublicKey ec) {
      for (Curve curve : CURVES) {
        ECParameterSpec known = curve.parameters();
        ECParameterSpec given = ec.getParams();
        if (known.getCurve().equals(given.getCurve())
            && known.getGenerator().equals(given.getGenerator())
            && known.getOrder().equals(given.getOrder())) {
          return curve;
        }
      }
    }
    return null;
  }

  /** Whether a key is on one of the three curves. */
  static boolean isSupported(PublicKey key) {
    return curveOf(key) != null;
  }

  /** SHA-256 of the key's SubjectPublicKeyInfo in PEM. */
  static String fingerprint(PublicKey key) {
    String body =
        Base64.getMimeEncoder(PEM_LINE, new byte[] {'\n'}).encodeToString(key.getEncoded());
    String pem = "-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----\n";
    byte[] digest = FileCapture.sha256().digest(pem.getBytes(StandardCharsets.US_ASCII));
    return HexFormat.of().formatHex(digest);
  }

  /** Whether {@code signature} is the DER of this key's signature over {@code message}. */
  static boolean verifies(PublicKey key, byte[] message, byte[] signature) {
    Curve curve = curveOf(key);
    try {
      if (curve == null || !EcdsaDer.isCanonical(signature, curve.parameters().getOrder())) {
        return false;
      }
      Signature verification = Signature.getInstance(curve.algorithm());
      verification.initVerify(key);
      verification.update(message);
      return verification.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** The certificate that these bytes are, exactly, with a key of a kind that can sign here. */
  static X509Certificate certificate(byte[] der) throws CertificateException {
    X509Certificate certificate =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(der));
    if (!Arrays.equals(certificate.getEncoded(), der)) {
      throw new CertificateException("not exactly one certificate in DER");
    }
    PublicKey key = certificate.getPublicKey();
    if (!(key instanceof RSAPublicKey) && !isSupported(key)) {
      throw new CertificateException("its key is neither RSA nor on P-256, P-384 or P-521");
    }
    return certificate;
  }

  /** The public key of a PEM text on one of the three curves. */
  static PublicKey publicKey(String pem, Path file) {
    List<byte[]> blocks = blocks(pem, "PUBLIC KEY", file);
    try {
      PublicKey key =
          KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(blocks.get(0)));
      if (isSupported(key)) {
        return key;
      }
    } catch (GeneralSecurityException e) {
      throw invalid(file, "is no elliptic-curve key on P-256, P-384 or P-521", e);
    }
    throw invalid(file, "is no elliptic-curve key on P-256, P-384 or P-521", null);
  }

  /** The certificates of a PEM text, at least one. */
  static List<X509Certificate> certificates(String pem, Path file) {
    List<X509Certificate> certificates = new ArrayList<>();
    try {
      for (byte[] block : blocks(pem, "CERTIFICATE", file)) {
        certificates.add(certificate(block));
      }
    } catch (CertificateException e) {
      throw invalid(file, "holds no X.509 certificates", e);
    }
    return certificates;
  }

  private static List<byte[]> blocks(String pem, String label, Path file) {
    Pattern block =
        Pattern.compile(
            "-----BEGIN " + label + "-----([A-Za-z0-9+/=\\s]*)-----END " + label + "-----");
    List<byte[]> blocks = new ArrayList<>();
    Matcher matcher = block.matcher(pem);
    try {
      while (matcher.find()) {
        blocks.add(Base64.getDecoder().decode(matcher.group(1).replaceAll("\\s", "")));
      }
    } catch (IllegalArgumentException e) {
      throw invalid(file, "holds broken Base64", e);
    }
    if (blocks.isEmpty()) {
      throw invalid(file, "holds no PEM block '" + label + "'", null);
    }
    return blocks;
  }

  private static SealaneException invalid(Path file, String problem, @Nullable Throwable cause) {
    return new SealaneException(ErrorCode.SIGNING_KEY_INVALID, file + " " + problem, cause);
  }
}
