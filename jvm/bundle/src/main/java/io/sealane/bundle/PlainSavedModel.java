package io.sealane.bundle;

import io.sealane.bundle.PlainSignature.Stated;
import io.sealane.bundle.SavedModel.SignatureDef;
import io.sealane.bundle.SavedModel.TensorInfo;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The signature that a SavedModel's {@code serving_default} states, by the names of its keys. */
final class PlainSavedModel {
  private static final Set<String> TAGS = Set.of("serve");
  private static final String KEY = "serving_default";

  private PlainSavedModel() {}

  static Signature signature(List<SavedModel> graphs, PlainDescription about, Limits limits) {
    SignatureDef serving = null;
    for (SavedModel graph : graphs) {
      serving = graph.tags.equals(TAGS) ? graph.signatures.get(KEY) : serving;
    }
    if (serving == null) {
      throw new Refusal(
          ErrorCode.ARTIFACT_INVALID,
          "it has no meta graph with the tag 'serve' alone and a signature def '" + KEY + "'");
    }
    return PlainSignature.of(stated(serving.inputs), stated(serving.outputs), about, limits);
  }

  /** By key: a protobuf's map has no order of its own. */
  private static List<Stated> stated(Map<String, TensorInfo> tensors) {
    return new TreeMap<>(tensors)
        .entrySet().stream().map(each -> stated(each.getKey(), each.getValue())).toList();
  }

  private static Stated stated(String key, TensorInfo info) {
    boolean dense = !info.name.isEmpty();
    DataType dtype = dense ? Dtypes.ofTensorflow(info.dtype) : null;
    String type = dense ? "TensorFlow type " + info.dtype : "a kind that is no dense tensor";
    return new Stated(key, dtype, type, dims(key, info.dims));
  }

  private static @Nullable List<Dim> dims(String key, @Nullable List<Long> sizes) {
    if (sizes == null) {
      return null;
    }
    List<Dim> dims = new ArrayList<>();
    for (long size : sizes) {
      dims.add(size < 0 ? PlainSignature.free(key, dims.size()) : Dim.fixed(size));
    }
    return dims;
  }
}
