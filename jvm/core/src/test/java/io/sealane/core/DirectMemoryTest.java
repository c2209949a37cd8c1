package io.sealane.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectMemoryTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63, 64, 65, DirectMemory.SMALL, DirectMemory.SMALL + 1, 1 << 20})
  void givesZerosInNativeOrder(int bytes) {
    for (int i = 0; i < 40; i++) {
      ByteBuffer memory = DirectMemory.allocate(bytes);
      assertThat(memory.isDirect()).isTrue();
      assertThat(memory.order()).isEqualTo(ByteOrder.nativeOrder());
      assertThat(memory.capacity()).isEqualTo(bytes);
      for (int at = 0; at < bytes; at++) {
        assertThat(memory.get(at)).isZero();
        memory.put(at, (byte) 1);
      }
    }
  }

  @Test
  void noByteIsGivenTwice() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Callable<List<ByteBuffer>>> tasks = new ArrayList<>();
      for (byte thread = 1; thread <= 4; thread++) {
        byte mark = thread;
        tasks.add(() -> marked(mark));
      }
      byte mark = 1;
      for (Future<List<ByteBuffer>> done : pool.invokeAll(tasks)) {
        for (ByteBuffer memory : done.get()) {
          for (int at = 0; at < memory.capacity(); at++) {
            assertThat(memory.get(at)).isEqualTo(mark);
          }
        }
        mark++;
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private static List<ByteBuffer> marked(byte mark) {
    List<ByteBuffer> all = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      ByteBuffer memory = DirectMemory.allocate(1 + i % 200);
      for (int at = 0; at < memory.capacity(); at++) {
        memory.put(at, mark);
      }
      all.add(memory);
    }
    return all;
  }
}
