package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import io.sealane.bundle.network.Activation;
import io.sealane.bundle.network.Op;
import io.sealane.core.ErrorCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The members of a layer's configuration, each asked for by who translates it: a member that nobody
 * knows the meaning of refuses the layer.
 */
final class Dl4jSettings {
  private static final Map<String, Activation> ACTIVATIONS =
      Map.ofEntries(
          Map.entry("ActivationReLU", Activation.RELU),
          Map.entry("ActivationReLU6", Activation.RELU6),
          Map.entry("ActivationLReLU", Activation.LEAKY_RELU),
          Map.entry("ActivationELU", Activation.ELU),
          Map.entry("ActivationSELU", Activation.SELU),
          Map.entry("ActivationSigmoid", Activation.SIGMOID),
          Map.entry("ActivationTanH", Activation.TANH),
          Map.entry("ActivationSoftmax", Activation.SOFTMAX),
          Map.entry("ActivationSoftPlus", Activation.SOFTPLUS),
          Map.entry("ActivationSoftSign", Activation.SOFTSIGN),
          Map.entry("ActivationSwish", Activation.SWISH),
          Map.entry("ActivationMish", Activation.MISH));

  private final String name;
  private final String type;
  private final Members members;
  private final Set<String> asked = new HashSet<>();

  Dl4jSettings(String name, String type, Members members) {
    this.name = name;
    this.type = type;
    this.members = members;
  }

  String name() {
    return name;
  }

  String type() {
    return type;
  }

  /** The settings of the layer that this one wraps. */
  Dl4jSettings inner(String member, String wanted) {
    Members wrapped = object(member);
    if (wrapped == null || !Dl4jConfiguration.type(wrapped).equals(wanted)) {
      throw unsupported(type + " of anything but " + wanted);
    }
    return new Dl4jSettings(name, wanted, wrapped);
  }

  void ignore(String... names) {
    asked.addAll(Arrays.asList(names));
  }

  @Nullable Members object(String member) {
    ignore(member);
    Object value = members.value(member);
    return value == null ? null : Members.of(value, at(member), INVALID);
  }

  int size(String member) {
    ignore(member);
    return checked(member, members.integer(member, 1));
  }

  int size(String member, int fallback) {
    ignore(member);
    return checked(member, members.integer(member, 0, fallback));
  }

  private int checked(String member, long value) {
    if (value > Op.MAX_INTEGER) {
      throw new Refusal(ErrorCode.LIMIT_EXCEEDED, at(member) + ": " + value + " is too large");
    }
    return (int) value;
  }

  List<Integer> sizes(String member, int count) {
    ignore(member);
    List<Integer> sizes = new ArrayList<>();
    for (long size : members.sizes(member)) {
      sizes.add(checked(member, size));
    }
    if (sizes.size() != count) {
      throw invalid(member + ": expected " + count + " sizes, received " + sizes);
    }
    return sizes;
  }

  boolean flag(String member, boolean fallback) {
    ignore(member);
    return members.bool(member, fallback);
  }

  double number(String member, double fallback) {
    ignore(member);
    Double value = members.value(member) == null ? null : members.optionalNumber(member);
    return value == null ? fallback : value;
  }

  String text(String member) {
    ignore(member);
    return members.string(member);
  }

  void require(String member, boolean expected) {
    if (flag(member, expected) != expected) {
      throw unsupported(member + " = " + !expected);
    }
  }

  void requireText(String member, String expected) {
    ignore(member);
    String text = members.nullableString(member);
    if (text != null && !text.equals(expected)) {
      throw unsupported(member + " = " + text);
    }
  }

  void requireActivation(String member, String expected) {
    Members function = object(member);
    String received = function == null ? "none" : Dl4jConfiguration.type(function);
    if (!received.equals(expected)) {
      throw unsupported(member + " = " + received + ", only " + expected);
    }
  }

  /** The activation; null for the identity. */
  Op.@Nullable Activate activation() {
    Members function = object("activationFn");
    if (function == null || Dl4jConfiguration.type(function).equals("ActivationIdentity")) {
      return null;
    }
    String kind = Dl4jConfiguration.type(function);
    Activation known = ACTIVATIONS.get(kind);
    if (known == null) {
      throw unsupported("the activation " + kind);
    }
    double alpha = 0;
    for (String member : function.names()) {
      Double value =
          function.value(member) == null || member.equals("@class")
              ? null
              : function.optionalNumber(member);
      if (member.equals("alpha") && known.hasAlpha()) {
        alpha = value == null ? 0 : value;
      } else if (value != null && value != 0) {
        throw unsupported(
            String.format(Locale.ROOT, "the activation %s with %s = %s", kind, member, value));
      }
    }
    return new Op.Activate(known, alpha);
  }

  /** Refuses members that nobody asked for and that are not among {@code harmless}. */
  void end(Set<String> harmless) {
    for (String member : members.names()) {
      if (!asked.contains(member) && !harmless.contains(member) && members.value(member) != null) {
        throw unsupported("the setting " + member);
      }
    }
  }

  Refusal unsupported(String what) {
    return new Refusal(
        ErrorCode.ARTIFACT_UNSUPPORTED,
        "layer '" + name + "' (" + type + "): a network does not have " + what);
  }

  Refusal invalid(String message) {
    return new Refusal(INVALID, "layer '" + name + "' (" + type + "): " + message);
  }

  private String at(String member) {
    return "layer '" + name + "'." + member;
  }
}
