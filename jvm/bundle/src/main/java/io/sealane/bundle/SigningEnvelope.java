package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The form of {@code bundle.sig}: a Sigstore bundle with one DSSE envelope (docs/bundle-format.md
 * §7.1). Nothing in it is verified.
 */
final class SigningEnvelope {
  static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private static final String FILE = Reading.SIGNATURE + ": ";
  private static final String MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
  private static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";
  private static final int MAX_CERTIFICATES = 8;

  private final @Nullable String hint;
  private final List<X509Certificate> certificates;
  private final byte[] payload;
  private final byte[] signature;

  private SigningEnvelope(
      @Nullable String hint, List<X509Certificate> certificates, byte[] payload, byte[] signature) {
    this.hint = hint;
    this.certificates = certificates;
    this.payload = payload;
    this.signature = signature;
  }

  /** The fingerprint of the signer's key, or null with certificates. */
  @Nullable String hint() {
    return hint;
  }

  /** The signer's chain, leaf first; empty with a key. */
  List<X509Certificate> certificates() {
    return certificates;
  }

  /** The bytes of the statement. */
  ByteBuffer payload() {
    return ByteBuffer.wrap(payload).asReadOnlyBuffer();
  }

  byte[] signature() {
    return signature.clone();
  }

  /** What is signed: the pre-authentication encoding of DSSE protocol v1. */
  byte[] message() {
    String header =
        "DSSEv1 " + PAYLOAD_TYPE.length() + " " + PAYLOAD_TYPE + " " + payload.length + " ";
    ByteBuffer message = ByteBuffer.allocate(header.length() + payload.length);
    message.put(header.getBytes(StandardCharsets.US_ASCII)).put(payload);
    return message.array();
  }

  static SigningEnvelope parse(byte[] bytes, Limits limits) {
    Object json =
        new StrictJson(limits.withStrings(Math.max(1, bytes.length)))
            .parse(ByteBuffer.wrap(bytes), Reading.SIGNATURE, ErrorCode.SIGNING_INVALID);
    Members root = Members.of(json, FILE, ErrorCode.SIGNING_INVALID);
    root.constant("mediaType", MEDIA_TYPE);
    Members material = root.object("verificationMaterial");
    Members envelope = root.object("dsseEnvelope");
    root.end();
    String hint = null;
    List<X509Certificate> certificates = List.of();
    if (material.has("publicKey") == material.has("x509CertificateChain")) {
      throw material.refusal("", "expected either publicKey or x509CertificateChain");
    }
    if (material.has("publicKey")) {
      hint = material.object("publicKey").string("hint", SHA256);
    } else {
      certificates = certificates(material.object("x509CertificateChain"));
    }
    if (material.has("tlogEntries")) {
      material.items("tlogEntries", (value, at) -> at);
    }
    material.optionalObject("timestampVerificationData");
    material.end();
    envelope.constant("payloadType", PAYLOAD_TYPE);
    byte[] payload = base64(envelope, "payload");
    byte[] signature = signature(envelope);
    envelope.end();
    return new SigningEnvelope(hint, certificates, payload, signature);
  }

  private static List<X509Certificate> certificates(Members chain) {
    List<Members> entries = chain.objects("certificates");
    chain.end();
    if (entries.isEmpty() || entries.size() > MAX_CERTIFICATES) {
      throw chain.refusal(
          "certificates", "expected 1 to " + MAX_CERTIFICATES + ", received " + entries.size());
    }
    List<X509Certificate> certificates = new ArrayList<>();
    for (Members entry : entries) {
      byte[] der = base64(entry, "rawBytes");
      entry.end();
      try {
        certificates.add(SigningKeys.certificate(der));
      } catch (CertificateException e) {
        throw new Refusal(
            ErrorCode.SIGNING_INVALID, entry.at("rawBytes") + ": not one X.509 certificate", e);
      }
    }
    return certificates;
  }

  private static byte[] signature(Members envelope) {
    List<Members> signatures = envelope.objects("signatures");
    if (signatures.size() != 1) {
      throw envelope.refusal("signatures", "expected exactly one, received " + signatures.size());
    }
    Members entry = signatures.get(0);
    byte[] signature = base64(entry, "sig");
    entry.nullableString("keyid");
    entry.end();
    return signature;
  }

  /** The bytes of a non-empty member in canonical Base64. */
  private static byte[] base64(Members members, String name) {
    String text = members.string(name);
    try {
      byte[] bytes = Base64.getDecoder().decode(text);
      if (bytes.length > 0 && Base64.getEncoder().encodeToString(bytes).equals(text)) {
        return bytes;
      }
    } catch (IllegalArgumentException e) {
      throw new Refusal(ErrorCode.SIGNING_INVALID, members.at(name) + ": not Base64", e);
    }
    throw members.refusal(name, "empty or not canonical Base64");
  }
}
