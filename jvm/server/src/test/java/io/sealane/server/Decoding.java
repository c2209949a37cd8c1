package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.sun.management.ThreadMXBean;
import io.sealane.core.DataType;
import io.sealane.core.Leaks;
import io.sealane.core.Tensor;
import io.sealane.core.TextBytes;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;

/**
 * What holds for each decoder, whatever the bytes: it returns tensors or refuses as the client's
 * fault, what it says can be printed, it leaves nothing open, and it takes neither long nor much
 * memory.
 */
final class Decoding {
  private static final long MOST_NANOS = 1_000_000_000L;
  private static final long MOST_BYTES = 64 << 20;
  private static final int SMALL = 64 << 10;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Decoding() {}

  /** Reads, and makes sure of what was read; returns the tensors, which are closed then. */
  interface Decoder {
    Collection<Tensor> decode() throws Exception;
  }

  /** Decodes an input of so many bytes. */
  static void check(int length, Decoder decoder) throws Exception {
    long open = Leaks.open();
    if (!isCheap(decoder) && length < SMALL) {
      // The first time classes are loaded.
      assertThat(isCheap(decoder)).as("within 1 s and 64 MiB").isTrue();
    }
    assertThat(Leaks.open()).as("tensors left open").isEqualTo(open);
  }

  private static boolean isCheap(Decoder decoder) throws Exception {
    long nanos = THREADS.getCurrentThreadCpuTime();
    long bytes = THREADS.getCurrentThreadAllocatedBytes();
    long tensors = decode(decoder);
    bytes = THREADS.getCurrentThreadAllocatedBytes() - bytes + tensors;
    return THREADS.getCurrentThreadCpuTime() - nanos < MOST_NANOS && bytes < MOST_BYTES;
  }

  private static long decode(Decoder decoder) throws Exception {
    try {
      Collection<Tensor> tensors = decoder.decode();
      long bytes = tensors.stream().mapToLong(Decoding::size).sum();
      tensors.forEach(Tensor::close);
      return bytes;
    } catch (InvalidProtocolBufferException refusedByGrpc) {
      return 0;
    } catch (RuntimeException refused) {
      int status = Problems.http(refused).code();
      if ((status < 400 || status >= 500) && status != 501) {
        throw refused;
      }
      assertThat(isEncodable(Problems.message(refused))).as("what is said is text").isTrue();
      return 0;
    }
  }

  private static long size(Tensor tensor) {
    if (tensor.dtype() == DataType.BYTES) {
      for (String text : tensor.strings()) {
        String same =
            text == null ? null : TextBytes.decode(ByteBuffer.wrap(TextBytes.encode(text)));
        assertThat(same).as("a text has its own bytes").isEqualTo(text);
      }
    }
    return RawTensors.bytes(tensor).length;
  }

  private static boolean isEncodable(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** Fails unless both have the same names, dtypes, shapes and bits. */
  static void same(Map<String, Tensor> read, Map<String, Tensor> sent) {
    assertThat(read.keySet()).isEqualTo(sent.keySet());
    read.forEach(
        (name, tensor) -> {
          Tensor other = sent.get(name);
          assertThat(other).isNotNull();
          assertThat(tensor.dtype()).isEqualTo(other.dtype());
          assertThat(tensor.shape()).isEqualTo(other.shape());
          assertThat(RawTensors.bytes(tensor)).isEqualTo(RawTensors.bytes(other));
        });
  }
}
