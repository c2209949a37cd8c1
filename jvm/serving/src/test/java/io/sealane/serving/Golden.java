package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.BundleReader;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A bundle's golden cases as requests and as what must be answered. */
final class Golden {
  private final Map<String, GoldenCase> cases = new LinkedHashMap<>();

  Golden(Path bundle) {
    try (VerifiedBundle verified = BundleReader.read(bundle, ReadOptions.defaults())) {
      verified.golden().forEach(each -> cases.put(each.id(), each));
    }
  }

  Collection<String> ids() {
    return cases.keySet();
  }

  InferenceRequest request(String model, String id) {
    Map<String, Tensor> inputs = new HashMap<>();
    cases.get(id).inputs().forEach((name, tensor) -> inputs.put(name, tensor(tensor)));
    return InferenceRequest.of(model, null, inputs);
  }

  private static Tensor tensor(GoldenTensor golden) {
    Shape shape = Shape.of(golden.shape());
    if (golden.dtype() == DataType.BYTES) {
      return Tensor.bytes(shape, golden.strings().toArray(new String[0]));
    }
    Tensor tensor = Tensor.allocate(golden.dtype(), shape);
    tensor.buffer().put(golden.data());
    return tensor;
  }

  /** Whether these are the outputs of that case, bit for bit; closes them. */
  void requireOutputs(String id, Map<String, Tensor> outputs) {
    try {
      outputs.forEach((name, actual) -> requireEqual(name, actual, cases.get(id)));
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }

  private static void requireEqual(String name, Tensor actual, GoldenCase golden) {
    GoldenTensor expected = golden.outputs().get(name);
    assertThat(actual.shape().dims()).as(name).isEqualTo(expected.shape());
    if (actual.dtype() == DataType.BYTES) {
      assertThat(actual.strings()).as(name).isEqualTo(expected.strings().toArray(new String[0]));
    } else {
      assertThat(actual.buffer()).as(name).isEqualTo(expected.data());
    }
  }
}
