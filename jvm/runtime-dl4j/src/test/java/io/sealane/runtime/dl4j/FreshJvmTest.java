package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * JVMs that start anew: Deeplearning4j's own importer of LSTM networks hangs in some of them. The
 * system properties {@code sealane.dl4j.jvms} and {@code sealane.dl4j.soak-seconds} ask for more
 * than a sample: {@code make soak} does.
 */
class FreshJvmTest {
  @Test
  void everyJvmOpensAnLstmNetworkAndSaysNothingElse() throws Exception {
    Set<String> answers = new HashSet<>();
    for (int i = 0; i < Integer.getInteger("sealane.dl4j.jvms", 2); i++) {
      answers.add(FreshJvm.run(OpenLstm.class, 60, List.of("-Xmx128m")));
    }
    assertThat(answers).hasSize(1);
  }

  @Test
  void memoryStaysFlatInASmallHeap() throws Exception {
    int seconds = Integer.getInteger("sealane.dl4j.soak-seconds", 4);
    List<String> heap = List.of("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch");
    String printed = FreshJvm.run(Soak.class, 2 * seconds + 120, heap, Integer.toString(seconds));
    System.out.print(printed);
  }
}
