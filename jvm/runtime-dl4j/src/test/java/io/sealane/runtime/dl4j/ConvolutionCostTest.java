package io.sealane.runtime.dl4j;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** {@code make bench} asks for it: it says nothing on a machine that is busy with a build. */
class ConvolutionCostTest {
  @Test
  @EnabledIfSystemProperty(named = "sealane.dl4j.bench", matches = "true")
  void prints() throws Exception {
    System.out.println(FreshJvm.run(ConvolutionCost.class, 600, List.of()));
  }
}
