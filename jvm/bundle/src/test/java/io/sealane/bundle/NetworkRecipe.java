package io.sealane.bundle;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The two files that a case of tests/conformance/networks/hostile.json describes. */
record NetworkRecipe(byte[] network, byte[] weights) {
  static final Path GOOD = Corpus.ROOT.resolve("networks/good");

  static NetworkRecipe of(Map<String, @Nullable Object> recipe) throws IOException {
    Path base = GOOD.resolve((String) recipe.get("base"));
    byte[] network = Files.readAllBytes(base.resolve("network.json"));
    if (recipe.containsKey("edits") || recipe.containsKey("repeat")) {
      Map<String, @Nullable Object> document = Corpus.object(Corpus.parse(network, "base"));
      for (Object edit : Corpus.list(recipe.get("edits"))) {
        edit(document, Corpus.object(edit));
      }
      if (recipe.containsKey("repeat")) {
        repeat(document, Corpus.object(recipe.get("repeat")));
      }
      network = JsonPrinter.print(document, 1).getBytes(StandardCharsets.UTF_8);
    }
    network = text(recipe, network);
    Path weights = base.resolve("weights.safetensors");
    return new NetworkRecipe(network, weights(recipe, Files.readAllBytes(weights)));
  }

  private static byte[] text(Map<String, @Nullable Object> recipe, byte[] network) {
    String text = new String(network, StandardCharsets.UTF_8);
    if (recipe.containsKey("replace")) {
      Map<String, @Nullable Object> change = Corpus.object(recipe.get("replace"));
      String find = (String) change.get("find");
      int place = text.indexOf(find);
      if (place < 0) {
        throw new IllegalArgumentException(find + " is not in the network");
      }
      text = text.substring(0, place) + change.get("text") + text.substring(place + find.length());
    }
    if (recipe.get("text") instanceof String whole) {
      text = whole;
    }
    text += recipe.getOrDefault("append", "");
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int size = (int) (long) (Long) recipe.getOrDefault("pad", 0L);
    int length = bytes.length;
    if (size > length) {
      bytes = Arrays.copyOf(bytes, size);
      Arrays.fill(bytes, length, size, (byte) ' ');
    }
    return bytes;
  }

  private static void edit(Map<String, @Nullable Object> document, Map<String, Object> edit) {
    String[] tokens = ((String) edit.get("pointer")).split("/", -1);
    Object owner = document;
    for (int i = 1; i < tokens.length - 1; i++) {
      owner =
          owner instanceof List<?> list
              ? list.get(Integer.parseInt(tokens[i]))
              : Corpus.object(owner).get(tokens[i]);
    }
    String last = tokens[tokens.length - 1];
    boolean remove = edit.get("op").equals("remove");
    if (owner instanceof List<?>) {
      List<@Nullable Object> list = Corpus.list(owner);
      int index = last.equals("-") ? list.size() : Integer.parseInt(last);
      if (remove) {
        list.remove(index);
      } else {
        list.add(index, edit.get("value"));
      }
    } else if (remove) {
      Corpus.object(owner).remove(last);
    } else {
      Corpus.object(owner).put(last, edit.get("value"));
    }
  }

  /** Puts copies of a layer behind it, each on the copy before. */
  private static void repeat(Map<String, @Nullable Object> document, Map<String, Object> repeat) {
    List<Map<String, @Nullable Object>> layers = Corpus.list(document.get("layers"));
    String name = (String) repeat.get("name");
    int place = 0;
    while (!name.equals(layers.get(place).get("name"))) {
      place++;
    }
    List<Map<String, @Nullable Object>> copies = new ArrayList<>();
    String previous = name;
    for (long i = 0; i < (Long) repeat.get("count"); i++) {
      Map<String, @Nullable Object> copy = new LinkedHashMap<>(layers.get(place));
      copy.put("inputs", List.of(previous));
      previous = name + "-" + i;
      copy.put("name", previous);
      copies.add(copy);
    }
    for (Map<String, @Nullable Object> layer : layers.subList(place + 1, layers.size())) {
      List<String> inputs = new ArrayList<>(Corpus.<String>list(layer.get("inputs")));
      String end = previous;
      inputs.replaceAll(each -> each.equals(name) ? end : each);
      layer.put("inputs", inputs);
    }
    layers.addAll(place + 1, copies);
  }

  private static byte[] weights(Map<String, @Nullable Object> recipe, byte[] base) {
    byte[] data = base;
    if (recipe.containsKey("weights")) {
      Map<String, GoldenTensor> tensors =
          Safetensors.parse(
              ByteBuffer.wrap(data), "base", Limits.defaults(), ErrorCode.ARTIFACT_INVALID);
      Corpus.object(recipe.get("weights"))
          .forEach(
              (name, change) -> {
                if (change == null) {
                  tensors.remove(name);
                } else {
                  tensors.put(name, tensor(Corpus.object(change)));
                }
              });
      data = SafetensorsWriter.write(tensors);
    }
    Map<String, @Nullable Object> change =
        Corpus.object(recipe.getOrDefault("weightsBytes", Map.of()));
    if (change.get("hex") instanceof String hex) {
      data = HexFormat.of().parseHex(hex);
    }
    long drop = (Long) change.getOrDefault("drop", 0L);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(data, 0, (int) (data.length - drop));
    bytes.writeBytes(HexFormat.of().parseHex((String) change.getOrDefault("append", "")));
    return bytes.toByteArray();
  }

  private static GoldenTensor tensor(Map<String, @Nullable Object> change) {
    long[] shape = Corpus.<Long>list(change.get("shape")).stream().mapToLong(v -> v).toArray();
    DataType dtype = Dtypes.ofSafetensors((String) change.get("dtype"));
    Object given = change.get("value");
    double value =
        given instanceof Number number
            ? number.doubleValue()
            : Double.parseDouble(((String) given).replace("nan", "NaN").replace("inf", "Infinity"));
    int count = 1;
    for (long dim : shape) {
      count *= (int) dim;
    }
    ByteBuffer data = ByteBuffer.allocate(count * dtype.width()).order(ByteOrder.LITTLE_ENDIAN);
    while (data.hasRemaining()) {
      switch (dtype) {
        case FP32 -> data.putFloat((float) value);
        case FP64 -> data.putDouble(value);
        default -> data.putShort((short) 0x3800);
      }
    }
    return GoldenTensor.of(dtype, shape, data.flip());
  }
}
