package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.bundle.network.Layer;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.bundle.network.Op;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The operator of each layer. */
final class Operators {
  private Operators() {}

  /** A new operator for a layer, its weights declared. */
  static Operator of(Layer layer, NetworkWeights weights, long seed) {
    Operator operator = create(layer, weights, seed);
    Map<String, int[]> shapes = new LinkedHashMap<>();
    layer
        .weights()
        .forEach(
            (role, name) ->
                shapes.put(
                    role,
                    weights.get(name).shape().stream().mapToInt(Integer::intValue).toArray()));
    operator.declare(shapes);
    return operator;
  }

  private static Operator create(Layer layer, NetworkWeights weights, long seed) {
    Op op = layer.op();
    if (op instanceof Op.Dense) {
      return new DenseOperator();
    } else if (op instanceof Op.Conv conv) {
      List<Integer> shape = weights.get(requireNonNull(layer.weights().get("weight"))).shape();
      return new ConvOperator(conv, shape.subList(2, shape.size()));
    } else if (op instanceof Op.BatchNorm norm) {
      return new BatchNormOperator(norm, layer.name());
    } else if (op instanceof Op.LayerNorm norm) {
      return new LayerNormOperator(norm.epsilon());
    } else if (op instanceof Op.Lstm lstm) {
      return new LstmOperator(lstm.sequence(), lstm.reverse());
    } else if (op instanceof Op.Gru gru) {
      return new GruOperator(gru.sequence(), gru.reverse());
    } else if (op instanceof Op.Embedding) {
      return new EmbeddingOperator(layer.name());
    } else if (op instanceof Op.Attention attention) {
      return new AttentionOperator(attention.heads());
    } else if (op instanceof Op.Dropout dropout) {
      return new DropoutOperator(dropout.rate(), seed ^ layer.name().hashCode());
    } else if (op instanceof Op.Activate activate) {
      return activation(activate);
    }
    return weightless(op);
  }

  private static Operator activation(Op.Activate activate) {
    return switch (activate.function()) {
      case SOFTMAX -> new SoftmaxOperator(false);
      case LOG_SOFTMAX -> new SoftmaxOperator(true);
      case GELU -> new GeluOperator();
      default -> ActivationOperator.of(activate.function(), activate.alpha());
    };
  }

  private static Operator weightless(Op op) {
    if (op instanceof Op.MaxPool pool) {
      return PoolOperator.maximum(windows(pool.kernel(), pool.strides(), pool.pads()));
    } else if (op instanceof Op.AveragePool pool) {
      return PoolOperator.average(
          windows(pool.kernel(), pool.strides(), pool.pads()), pool.countPadding());
    } else if (op instanceof Op.GlobalAveragePool) {
      return new GlobalPoolOperator(false);
    } else if (op instanceof Op.GlobalMaxPool) {
      return new GlobalPoolOperator(true);
    } else if (op instanceof Op.Add) {
      return new MergeOperator(false);
    } else if (op instanceof Op.Multiply) {
      return new MergeOperator(true);
    } else if (op instanceof Op.Concat concat) {
      return new ConcatOperator(concat.axis());
    } else if (op instanceof Op.Reshape reshape) {
      return ReshapeOperator.to(reshape.shape());
    } else if (op instanceof Op.Transpose transpose) {
      return new TransposeOperator(transpose.permutation());
    } else if (op instanceof Op.Pad pad) {
      return new PadOperator(pad);
    } else if (op instanceof Op.LastStep) {
      return new LastStepOperator();
    } else if (op instanceof Op.Rescale rescale) {
      return new RescaleOperator(rescale.scale(), rescale.offset());
    }
    throw new IllegalArgumentException("no operator for " + op.id());
  }

  private static Windows windows(List<Integer> kernel, List<Integer> strides, List<Integer> pads) {
    return Windows.of(kernel, strides, kernel.stream().map(size -> 1).toList(), pads);
  }
}
