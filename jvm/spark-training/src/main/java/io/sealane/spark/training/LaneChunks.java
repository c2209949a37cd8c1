package io.sealane.spark.training;

import io.sealane.bundle.network.Network;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.runtime.Inputs;
import io.sealane.spark.rows.BatchReader;
import io.sealane.spark.rows.RowBlock;
import io.sealane.training.FeatureRunner;
import io.sealane.training.Parent;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.jspecify.annotations.Nullable;
import scala.Function1;

/**
 * The rows of a partition made ready, in chunks of bytes: the layout first, then rows to train on
 * and rows held back, at the end perhaps an error. Used by one thread; closed by the task.
 */
final class LaneChunks implements Iterator<byte[]>, AutoCloseable {
  /** A chunk with the layout. */
  static final byte LAYOUT = 2;

  /** A chunk of rows to train on. */
  static final byte TRAIN = 3;

  /** A chunk of rows held back. */
  static final byte HELD = 4;

  private static final int FIRST_ROWS = 64;
  private static final int MOST_ROWS = 4096;
  private static final int CHUNK_BYTES = 1 << 22;
  private static final double TWO_TO_53 = 0x1.0p53;

  private final Iterator<Row> rows;
  private final RowPlan plan;
  private final Objective objective;
  private final Parent parent;
  private final RowLayout.Part target;
  private final double validation;
  private final long splitSeed;
  private final FeatureRunner features;
  private final BatchReader inputReader;
  private final BatchReader targetReader;
  private final Signature checked;
  private final Function1<Object, Object> converter;
  private final ArrayDeque<byte[]> ready = new ArrayDeque<>();
  private @Nullable RowLayout layout;
  private long seen;
  private boolean ended;

  LaneChunks(Iterator<Row> rows, RunSpec run, RowPlan plan, Parent parent, int lane) {
    this.rows = rows;
    this.plan = plan;
    this.parent = parent;
    this.objective = run.settings().objective();
    this.validation = run.settings().validation();
    this.splitSeed = Permutation.seed(run.settings().seed(), -1, lane);
    this.target = plan.targetPart(parent.dims(run.loss().output()));
    Signature own = parent.signature();
    this.checked = new Signature(own.inputs(), own.outputs(), Map.of(), own.methods());
    int[] ordinals = IntStream.range(0, plan.schema().size()).toArray();
    this.inputReader = new BatchReader(own, plan.inputs(), ordinals);
    this.targetReader =
        new BatchReader(plan.targetSignature(own), List.of(plan.target()), ordinals);
    this.converter = CatalystTypeConverters.createToCatalystConverter(plan.schema());
    this.features = new FeatureRunner(parent);
  }

  @Override
  public boolean hasNext() {
    while (ready.isEmpty() && !ended) {
      try {
        prepare();
      } catch (SealaneException refused) {
        ready.add(TaskReply.error(refused));
        ended = true;
      }
    }
    return !ready.isEmpty();
  }

  @Override
  public byte[] next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.remove();
  }

  private void prepare() {
    int most =
        layout == null
            ? FIRST_ROWS
            : Math.max(1, Math.min(MOST_ROWS, CHUNK_BYTES / Math.max(1, layout.stride())));
    List<InternalRow> block = new ArrayList<>();
    while (block.size() < most && rows.hasNext()) {
      block.add((InternalRow) Objects.requireNonNull(converter.apply(rows.next())));
    }
    if (block.isEmpty()) {
      ended = true;
      return;
    }
    Block read = new Block(block);
    Map<String, Tensor> columns = inputReader.read(read);
    Map<String, Tensor> made = Map.of();
    try (Tensor wanted = target(read)) {
      Inputs.check(checked, columns);
      made = features.run(columns);
      lay(made, wanted, block.size());
    } finally {
      columns.values().forEach(Tensor::close);
      made.values().forEach(Tensor::close);
    }
  }

  private void lay(Map<String, Tensor> made, Tensor wanted, int count) {
    List<String> names =
        parent.layers().network().inputs().stream().map(Network.Input::name).toList();
    RowLayout found = RowLayout.of(names, made, target);
    if (layout == null) {
      layout = found;
      ready.add(LaneWriter.layoutChunk(found));
    }
    layout.requireSame(found);
    List<Tensor> parts = new ArrayList<>();
    for (String name : names) {
      parts.add(Objects.requireNonNull(made.get(name)));
    }
    parts.add(wanted);
    split(found.rows(parts, count), found.stride(), count);
  }

  /** Which rows are held back follows from the seed, the lane and the place in it. */
  private void split(byte[] laid, int stride, int count) {
    boolean[] held = new boolean[count];
    int heldCount = 0;
    for (int i = 0; i < count; i++) {
      held[i] = (Permutation.mix(splitSeed + seen++) >>> 11) / TWO_TO_53 < validation;
      heldCount += held[i] ? 1 : 0;
    }
    ByteBuffer train = ByteBuffer.allocate(1 + (count - heldCount) * stride).put(TRAIN);
    ByteBuffer back = ByteBuffer.allocate(1 + heldCount * stride).put(HELD);
    for (int i = 0; i < count; i++) {
      (held[i] ? back : train).put(laid, i * stride, stride);
    }
    ready.add(train.array());
    ready.add(back.array());
  }

  /** The targets of a block as the loss takes them. */
  private Tensor target(Block block) {
    Map<String, Tensor> read = targetReader.read(block);
    try {
      double[] values = read.values().iterator().next().doubles();
      for (double value : values) {
        if (!objective.takes(value, plan.classes())) {
          throw new SealaneException(
              ErrorCode.INPUT_DOMAIN,
              "the target has "
                  + value
                  + ", which the loss '"
                  + objective.id()
                  + "' with "
                  + (plan.classes() > 0 ? plan.classes() + " classes" : "this output")
                  + " does not take");
        }
      }
      if (target.dtype() == DataType.INT64) {
        long[] classes = new long[values.length];
        for (int i = 0; i < values.length; i++) {
          classes[i] = (long) values[i];
        }
        return Tensor.int64(target.shape(block.count()), classes);
      }
      float[] numbers = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        numbers[i] = (float) values[i];
      }
      return Tensor.fp32(target.shape(block.count()), numbers);
    } finally {
      read.values().forEach(Tensor::close);
    }
  }

  private record Block(List<InternalRow> rows) implements RowBlock {
    @Override
    public int count() {
      return rows.size();
    }

    @Override
    public InternalRow row(int index) {
      return rows.get(index);
    }
  }

  @Override
  public void close() {
    features.close();
    inputReader.close();
    targetReader.close();
  }
}
