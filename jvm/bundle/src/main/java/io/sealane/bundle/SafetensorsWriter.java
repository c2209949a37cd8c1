package io.sealane.bundle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes the safetensors format with the bytes that Python writes too. */
final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;

  private SafetensorsWriter() {}

  /** The bytes of a file with these tensors, in the map's order; none of them BYTES. */
  static byte[] write(Map<String, GoldenTensor> tensors) {
    Map<String, Object> header = new LinkedHashMap<>();
    long offset = 0;
    for (Map.Entry<String, GoldenTensor> entry : tensors.entrySet()) {
      GoldenTensor tensor = entry.getValue();
      long end = offset + tensor.data().remaining();
      Map<String, Object> members = new LinkedHashMap<>();
      members.put("dtype", Dtypes.safetensors(tensor.dtype()));
      members.put("shape", boxed(tensor.shape()));
      members.put("data_offsets", List.of(offset, end));
      header.put(entry.getKey(), members);
      offset = end;
    }
    byte[] text = padded(JsonPrinter.compact(header).getBytes(StandardCharsets.UTF_8));
    int size = Math.toIntExact(Long.BYTES + text.length + offset);
    ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text);
    tensors.values().forEach(tensor -> file.put(tensor.data()));
    return file.array();
  }

  private static List<Long> boxed(long[] shape) {
    List<Long> dims = new ArrayList<>();
    Arrays.stream(shape).forEach(dims::add);
    return dims;
  }

  /** The header with spaces, so that its length field does not begin like forbidden content. */
  private static byte[] padded(byte[] text) {
    int length = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    while (isForbidden(length)) {
      length += ALIGNMENT;
    }
    byte[] result = Arrays.copyOf(text, length);
    Arrays.fill(result, text.length, length, (byte) ' ');
    return result;
  }

  private static boolean isForbidden(long length) {
    ByteBuffer field = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    field.putLong(length);
    return ForbiddenContent.begins(HexFormat.of().formatHex(field.array()));
  }
}
