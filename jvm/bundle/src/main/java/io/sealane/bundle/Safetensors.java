package io.sealane.bundle;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the safetensors format (docs/bundle-format.md §5): 8 bytes little-endian header length, a
 * JSON header, then the tensors' bytes without gap or overlap.
 */
final class Safetensors {
  private static final int PREFIX = 8;

  private final Limits limits;
  private final String file;
  private final ErrorCode code;

  private Safetensors(Limits limits, String file, ErrorCode code) {
    this.limits = limits;
    this.file = file;
    this.code = code;
  }

  /** A tensor's place in the data section. */
  private record Slot(String name, DataType dtype, List<Long> shape, long begin, long end) {}

  /**
   * The tensors of a file by name, as views on {@code bytes}.
   *
   * @param code for a file that breaks the format
   */
  static Map<String, GoldenTensor> parse(
      ByteBuffer bytes, String file, Limits limits, ErrorCode code) {
    return new Safetensors(limits, file, code).parse(bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
  }

  private Refusal invalid(String message) {
    return new Refusal(code, file + ": " + message);
  }

  private Map<String, GoldenTensor> parse(ByteBuffer bytes) {
    if (bytes.remaining() < PREFIX) {
      throw invalid("only " + bytes.remaining() + " bytes");
    }
    long header = bytes.getLong(0);
    if (header < 0 || header > limits.safetensorsHeaderBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          file
              + ": header of "
              + Long.toUnsignedString(header)
              + " bytes, at most "
              + limits.safetensorsHeaderBytes()
              + " allowed");
    }
    if (header > bytes.remaining() - PREFIX) {
      throw invalid("header of " + header + " bytes runs past the file's end");
    }
    if (header == 0 || bytes.get(PREFIX) != '{') {
      throw invalid("the header does not start with '{'");
    }
    Object json = new StrictJson(limits).parse(bytes.slice(PREFIX, (int) header), file, code);
    int start = PREFIX + (int) header;
    List<Slot> slots = slots(Members.of(json, file + ": ", code));
    checkContiguous(slots, bytes.limit() - start);
    Map<String, GoldenTensor> tensors = new LinkedHashMap<>();
    for (Slot slot : slots) {
      ByteBuffer data = bytes.slice(start + (int) slot.begin(), (int) (slot.end() - slot.begin()));
      checkBooleans(slot, data);
      long[] shape = slot.shape().stream().mapToLong(Long::longValue).toArray();
      tensors.put(slot.name(), GoldenTensor.of(slot.dtype(), shape, data));
    }
    return tensors;
  }

  private List<Slot> slots(Members header) {
    List<Slot> slots = new ArrayList<>();
    for (String name : header.names()) {
      Members entry = header.object(name);
      if (name.equals("__metadata__")) {
        entry.names().forEach(entry::string);
      } else {
        slots.add(slot(name, entry));
      }
    }
    slots.sort(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::end));
    return slots;
  }

  private Slot slot(String name, Members entry) {
    DataType dtype = Dtypes.ofSafetensors(entry.string("dtype"));
    if (dtype == null) {
      throw entry.refusal("dtype", "'" + entry.string("dtype") + "' is no dtype of the format");
    }
    long[] shape = entry.sizes("shape");
    long[] offsets = entry.sizes("data_offsets");
    entry.end();
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw entry.refusal("data_offsets", "expected [begin, end] with begin <= end");
    }
    long bytes = Sizes.bytes(shape, dtype.width());
    if (bytes > limits.tensorBytes()) {
      throw new Refusal(
          ErrorCode.LIMIT_EXCEEDED,
          entry.at("shape") + ": a tensor over " + limits.tensorBytes() + " bytes");
    }
    if (bytes != offsets[1] - offsets[0]) {
      throw entry.refusal(
          "data_offsets",
          "expected " + bytes + " bytes by dtype and shape, received " + (offsets[1] - offsets[0]));
    }
    return new Slot(name, dtype, Arrays.stream(shape).boxed().toList(), offsets[0], offsets[1]);
  }

  private void checkContiguous(List<Slot> slots, long length) {
    long next = 0;
    for (Slot slot : slots) {
      if (slot.begin() != next) {
        throw invalid("'" + slot.name() + "' begins at " + slot.begin() + ", expected " + next);
      }
      next = slot.end();
    }
    if (next != length) {
      throw invalid("tensors cover " + next + " of " + length + " bytes");
    }
  }

  private void checkBooleans(Slot slot, ByteBuffer data) {
    if (slot.dtype() != DataType.BOOL) {
      return;
    }
    for (int i = 0; i < data.limit(); i++) {
      if ((data.get(i) & ~1) != 0) {
        throw invalid("'" + slot.name() + "' holds a BOOL that is neither 0 nor 1");
      }
    }
  }
}
