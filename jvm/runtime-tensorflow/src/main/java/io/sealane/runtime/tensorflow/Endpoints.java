package io.sealane.runtime.tensorflow;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.tensorflow.internal.c_api.TF_Graph;
import org.tensorflow.internal.c_api.TF_Operation;
import org.tensorflow.internal.c_api.TF_Output;
import org.tensorflow.internal.c_api.global.tensorflow;

/** An array of {@code TF_Output}: graph tensors to be fed or fetched, in a fixed order. */
final class Endpoints implements AutoCloseable {
  private final int length;
  private final TF_Output array;

  private Endpoints(int length) {
    this.length = length;
    this.array = new TF_Output(Pointer.calloc(Math.max(length, 1), 2 * Long.BYTES));
  }

  /**
   * The tensors of these names.
   *
   * @param tensors names as in a SavedModel's signature def, such as {@code x:0}
   * @throws SealaneException ENGINE_LOAD_FAILED for one that the graph does not have
   */
  static Endpoints of(TF_Graph graph, List<String> tensors, String label) {
    Endpoints found = new Endpoints(tensors.size());
    try {
      for (int i = 0; i < tensors.size(); i++) {
        found.resolve(graph, i, tensors.get(i), label);
      }
      return found;
    } catch (RuntimeException | Error failed) {
      found.close();
      throw failed;
    }
  }

  private void resolve(TF_Graph graph, int at, String tensor, String label) {
    int colon = tensor.lastIndexOf(':');
    String operation = colon < 0 ? tensor : tensor.substring(0, colon);
    int index = colon < 0 ? 0 : Integer.parseInt(tensor.substring(colon + 1));
    @Nullable TF_Operation found = tensorflow.TF_GraphOperationByName(graph, operation);
    if (found == null || index >= tensorflow.TF_OperationNumOutputs(found)) {
      throw new SealaneException(
          ErrorCode.ENGINE_LOAD_FAILED,
          label + ": its graph has no tensor '" + tensor + "', which its signature def names");
    }
    TF_Output slot = array.position(at);
    slot.oper(found);
    slot.index(index);
    array.position(0);
  }

  /** Some of these, in that order; to be closed on its own. */
  Endpoints select(int[] indexes) {
    Endpoints chosen = new Endpoints(indexes.length);
    for (int i = 0; i < indexes.length; i++) {
      TF_Output from = array.getPointer(indexes[i]);
      TF_Output to = chosen.array.getPointer(i);
      to.oper(from.oper());
      to.index(from.index());
    }
    return chosen;
  }

  TF_Output pointer() {
    return array;
  }

  int length() {
    return length;
  }

  @Override
  public void close() {
    Pointer.free(array);
  }
}
