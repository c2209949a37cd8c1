package io.sealane.bundle;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import io.sealane.core.SymbolRange;
import io.sealane.core.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The manifest's {@code signature} (docs/bundle-format.md §2.1). */
final class SignatureParser {
  private static final Pattern SYMBOL = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,63}");
  private static final int MAX_DIMS = 16;
  private static final int MAX_NAME = 256;

  private final boolean strict;

  SignatureParser(boolean strict) {
    this.strict = strict;
  }

  Signature parse(Members members) {
    List<TensorSpec> inputs = specs(members, "inputs");
    List<TensorSpec> outputs = specs(members, "outputs");
    if (outputs.isEmpty()) {
      throw members.refusal("outputs", "at least one output is needed");
    }
    Map<String, SymbolRange> symbols = symbols(members.optionalObject("symbols"));
    Map<String, Signature.Method> methods =
        methods(members.optionalObject("methods"), inputs, outputs);
    ManifestParser.finish(members, strict);
    checkNames(members, "inputs", inputs);
    checkNames(members, "outputs", outputs);
    checkSymbols(members, symbols, inputs, outputs);
    checkMethods(members, methods, inputs, outputs);
    return new Signature(inputs, outputs, symbols, methods);
  }

  private static List<String> names(List<TensorSpec> specs) {
    return specs.stream().map(TensorSpec::name).toList();
  }

  private List<TensorSpec> specs(Members members, String name) {
    return members.objects(name).stream().map(this::spec).toList();
  }

  private TensorSpec spec(Members members) {
    String name = members.string("name");
    boolean sized = !name.isEmpty() && name.codePointCount(0, name.length()) <= MAX_NAME;
    if (!sized || name.chars().anyMatch(c -> c < 0x20)) {
      throw members.refusal("name", "expected 1 to 256 characters, none below U+0020");
    }
    DataType dtype = ManifestParser.dataType(members, "dtype");
    List<Dim> dims = members.items("dims", (value, at) -> dim(members, value, at));
    if (dims.size() > MAX_DIMS) {
      throw members.refusal("dims", "at most " + MAX_DIMS + " dims, received " + dims.size());
    }
    String semantic = members.optionalString("semantic");
    Domain domain = members.has("domain") ? domain(members.object("domain"), dtype) : null;
    ManifestParser.finish(members, strict);
    return new TensorSpec(name, dtype, dims, semantic, domain);
  }

  private static Dim dim(Members members, @Nullable Object value, String at) {
    if (!(value instanceof String symbol)) {
      return Dim.fixed(members.integerOf(value, at, 0));
    }
    if (!SYMBOL.matcher(symbol).matches()) {
      throw new Refusal(
          ErrorCode.MANIFEST_INVALID, at + ": '" + symbol + "' does not match " + SYMBOL);
    }
    return Dim.symbolic(symbol);
  }

  private Domain domain(Members members, DataType dtype) {
    boolean nullable = members.bool("nullable", false);
    Double min = members.optionalNumber("min");
    Double max = members.optionalNumber("max");
    Set<String> vocabulary =
        members.has("vocabulary") ? new LinkedHashSet<>(members.strings("vocabulary")) : null;
    boolean closed = members.bool("closed", false);
    ManifestParser.finish(members, strict);
    boolean numeric = dtype != DataType.BYTES && dtype != DataType.BOOL;
    if ((min != null || max != null) && !numeric) {
      throw members.refusal("", "min and max need a numeric dtype, not " + dtype);
    }
    if (min != null && max != null && min > max) {
      throw members.refusal("min", min + " is above max " + max);
    }
    if (vocabulary != null && dtype != DataType.BYTES) {
      throw members.refusal("vocabulary", "needs BYTES, not " + dtype);
    }
    return new Domain(nullable, min, max, vocabulary, closed);
  }

  private Map<String, SymbolRange> symbols(Members members) {
    Map<String, SymbolRange> result = new LinkedHashMap<>();
    for (String symbol : members.names()) {
      Members range = members.object(symbol);
      long min = range.integer("min", 0, 0);
      long max = range.integer("max", 0, Long.MAX_VALUE);
      long multipleOf = range.integer("multipleOf", 1, 1);
      ManifestParser.finish(range, strict);
      if (min > max) {
        throw range.refusal("min", min + " is above max " + max);
      }
      result.put(symbol, new SymbolRange(min, max, multipleOf));
    }
    return result;
  }

  private Map<String, Signature.Method> methods(
      Members members, List<TensorSpec> inputs, List<TensorSpec> outputs) {
    if (members.names().isEmpty()) {
      return Map.of("predict", new Signature.Method(names(inputs), names(outputs)));
    }
    Map<String, Signature.Method> result = new LinkedHashMap<>();
    for (String name : members.names()) {
      if (!ManifestParser.NAME.matcher(name).matches()) {
        throw members.refusal(name, "does not match " + ManifestParser.NAME);
      }
      Members method = members.object(name);
      result.put(name, new Signature.Method(method.strings("inputs"), method.strings("outputs")));
      ManifestParser.finish(method, strict);
    }
    return result;
  }

  private static void checkNames(Members members, String member, List<TensorSpec> specs) {
    Set<String> seen = new TreeSet<>();
    for (TensorSpec spec : specs) {
      if (!seen.add(spec.name())) {
        throw members.refusal(member, "the name '" + spec.name() + "' is there twice");
      }
    }
  }

  private static void checkSymbols(
      Members members,
      Map<String, SymbolRange> symbols,
      List<TensorSpec> inputs,
      List<TensorSpec> outputs) {
    Set<String> unused = new TreeSet<>(symbols.keySet());
    List<TensorSpec> all = new ArrayList<>(inputs);
    all.addAll(outputs);
    for (TensorSpec spec : all) {
      for (Dim dim : spec.dims()) {
        if (dim.symbol() != null) {
          unused.remove(dim.symbol());
        }
      }
    }
    if (!unused.isEmpty()) {
      throw members.refusal("symbols", unused + " occur in no dims");
    }
  }

  private static void checkMethods(
      Members members,
      Map<String, Signature.Method> methods,
      List<TensorSpec> inputs,
      List<TensorSpec> outputs) {
    methods.forEach(
        (name, method) -> {
          if (!names(inputs).containsAll(method.inputs())
              || !names(outputs).containsAll(method.outputs())) {
            throw members.refusal("methods", "'" + name + "' names tensors that are not there");
          }
        });
  }
}
