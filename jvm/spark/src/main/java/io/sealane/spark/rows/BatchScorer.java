package io.sealane.spark.rows;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.InternalRow;
import org.jspecify.annotations.Nullable;

/**
 * Scores the rows of one task, batch after batch. Good rows are scored whatever the others are.
 * Used by one thread; the session stays the caller's.
 */
public final class BatchScorer implements AutoCloseable {
  private static final long LARGEST_BUFFER = 1L << 27;
  private static final int TEXT_WIDTH = 16;

  private final Session session;
  private final ScorePlan plan;
  private final List<InputReader> readers = new ArrayList<>();
  private final List<InputBuffer> buffers = new ArrayList<>();
  private final SymbolSizes sizes;
  private final BatchRange range;
  private final EarlierFaults faults;
  private final Refusals refusals = new Refusals();
  private final Results results;
  private int[] slots = new int[0];
  private int filled;
  private int base;

  /**
   * @param ordinals for each of the plan's columns its place in the rows
   */
  public BatchScorer(Session session, ScorePlan plan, int[] ordinals) {
    this.session = session;
    this.plan = plan;
    Signature signature = session.signature();
    for (int i = 0; i < plan.inputs().size(); i++) {
      TensorSpec spec = signature.inputs().get(i);
      readers.add(InputReader.of(spec, plan.inputs().get(i), ordinals));
      buffers.add(new InputBuffer(spec));
    }
    this.faults = new EarlierFaults(readers);
    List<TensorSpec> outputs =
        plan.outputs().stream().map(name -> signature.output(name).orElseThrow()).toList();
    this.sizes = new SymbolSizes(signature);
    this.range = BatchRange.of(signature, outputs);
    this.results = new Results(plan, outputs.stream().map(TensorSpec::dtype).toList());
  }

  /** The columns of the last batch; overwritten by the next. */
  public Results results() {
    return results;
  }

  /**
   * Scores a batch.
   *
   * @return which of its rows have no score, and why; valid until the next batch
   * @throws SealaneException the first row's refusal when the plan says that it fails; a code of
   *     the bundle or engine family when the model itself can not be used
   */
  public Refusals score(RowBlock block) {
    int rows = block.count();
    refusals.reset(rows);
    results.reset(rows);
    int most = range.most(plan.batchSize());
    for (int start = 0; start < rows; start += most) {
      scoreSlice(new Slice(block, start, Math.min(most, rows - start)));
    }
    refusals.startAt(0);
    for (int row = 0; refusals.count() > 0 && row < rows; row++) {
      if (refusals.isRefused(row)) {
        refused(row);
      }
    }
    return refusals;
  }

  private void refused(int row) {
    if (plan.onError() == OnError.FAIL) {
      throw new SealaneException(refusals.code(row), refusals.message(row));
    }
    results.refuse(row, refusals.code(row).name(), refusals.message(row));
  }

  private void scoreSlice(Slice slice) {
    base = slice.start();
    refusals.startAt(base);
    if (sizes.isEmpty()) {
      scoreAlike(slice, IntStream.range(0, slice.count()).toArray(), List.of());
      return;
    }
    Map<List<Long>, List<Integer>> groups = new LinkedHashMap<>();
    for (int row = 0; row < slice.count(); row++) {
      List<Long> key = measure(slice.row(row), row);
      if (key != null) {
        groups.computeIfAbsent(key, unused -> new ArrayList<>()).add(row);
      }
    }
    groups.forEach(
        (key, rows) -> scoreAlike(slice, rows.stream().mapToInt(Integer::intValue).toArray(), key));
  }

  private @Nullable List<Long> measure(InternalRow values, int row) {
    sizes.clear();
    for (int i = 0; i < readers.size(); i++) {
      try {
        readers.get(i).measure(values, sizes);
      } catch (Refused refused) {
        List<Long> key = sizes.key();
        refuse(row, refused, faults.before(i, values, spec -> sizes.rowDims(spec, key)));
        return null;
      }
    }
    return sizes.key();
  }

  /** Turns a row away for its first faulty input. */
  private void refuse(int row, Refused refused, @Nullable SealaneException earlier) {
    if (earlier == null) {
      refusals.refuse(row, refused);
    } else {
      refusals.refuse(row, earlier.code(), text(earlier));
    }
  }

  /** Scores rows of equal sizes, as many at once as a buffer may be large. */
  private void scoreAlike(Slice slice, int[] rows, List<Long> key) {
    int most = range.most(mostRows(key));
    for (int start = 0; start < rows.length; start += most) {
      int end = Math.min(rows.length, start + most);
      boolean all = start == 0 && end == rows.length;
      scoreGroup(slice, all ? rows : Arrays.copyOfRange(rows, start, end), key);
    }
  }

  private int mostRows(List<Long> key) {
    long widest = 1;
    for (InputReader reader : readers) {
      long elements = Shape.of(sizes.rowDims(reader.spec, key)).elementCount();
      widest = Math.max(widest, elements * width(reader.spec));
    }
    return (int) Math.max(1, LARGEST_BUFFER / widest);
  }

  private static int width(TensorSpec spec) {
    return spec.dtype() == DataType.BYTES ? TEXT_WIDTH : spec.dtype().width();
  }

  /** Scores rows of equal sizes together. */
  private void scoreGroup(Slice slice, int[] rows, List<Long> key) {
    slots = rows;
    filled = rows.length;
    boolean whole = rows.length == slice.count();
    for (int i = 0; i < readers.size(); i++) {
      InputReader reader = readers.get(i);
      InputBuffer buffer = buffers.get(i);
      buffer.prepare(range.room(rows.length), sizes.rowDims(reader.spec, key));
      if (!whole || !reader.readBlock(slice, buffer, refusals)) {
        readRows(i, slice, key);
      }
    }
    compact();
    run(0, filled);
  }

  private void readRows(int input, RowBlock block, List<Long> key) {
    InputReader reader = readers.get(input);
    for (int slot = 0; slot < filled; slot++) {
      int row = slots[slot];
      if (refusals.isRefused(row)) {
        continue;
      }
      try {
        reader.read(block.row(row), buffers.get(input), slot);
      } catch (Refused refused) {
        InternalRow values = block.row(row);
        refuse(row, refused, faults.before(input, values, spec -> sizes.rowDims(spec, key)));
      }
    }
  }

  /** Closes the gaps that refused rows left. */
  private void compact() {
    int kept = 0;
    for (int slot = 0; slot < filled; slot++) {
      if (!refusals.isRefused(slots[slot])) {
        move(slot, kept++);
      }
    }
    filled = kept;
  }

  private void move(int from, int to) {
    if (from != to) {
      slots[to] = slots[from];
      buffers.forEach(buffer -> buffer.move(from, to));
    }
  }

  /** Runs the slots from {@code first} to {@code end}, without those that turn out to be bad. */
  private void run(int first, int end) {
    int last = end;
    while (last > first) {
      try {
        runOnce(first, last - first);
        return;
      } catch (SealaneException failed) {
        last = recover(failed, first, last);
      }
    }
  }

  /** Takes out what made a run fail; gives the end of what is still to be run. */
  private int recover(SealaneException failed, int first, int last) {
    boolean input = failed.code().family() == ErrorCode.Family.INPUT;
    if (!input && failed.code() != ErrorCode.ENGINE_RUN_FAILED) {
      throw failed;
    }
    int count = last - first;
    Object row = failed.details().get("row");
    if (input && row instanceof Number number && number.intValue() < count) {
      return remove(first + number.intValue(), last, failed);
    }
    if (count == 1) {
      return remove(first, last, failed);
    }
    int middle = first + count / 2;
    run(middle, last);
    return middle;
  }

  private int remove(int slot, int last, SealaneException failed) {
    refusals.refuse(slots[slot], failed.code(), text(failed));
    for (int next = slot + 1; next < last; next++) {
      move(next, next - 1);
    }
    return last - 1;
  }

  /** The message without its code, and without the row's number, which is one of the batch. */
  private static String text(SealaneException failed) {
    String message = String.valueOf(failed.getMessage());
    return message
        .replaceFirst("^" + failed.code().name() + ": ", "")
        .replaceFirst("^(input '.*?'), row [0-9]+:", "$1:");
  }

  private void runOnce(int first, int count) {
    int padded = range.padded(count);
    pad(first + count, first + padded);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    try {
      for (int i = 0; i < buffers.size(); i++) {
        inputs.put(readers.get(i).spec.name(), buffers.get(i).tensor(first, padded));
      }
      try (Outputs outputs = session.run(inputs, plan.outputs())) {
        results.write(outputs.asMap(), rowsOf(first, count), count);
      }
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private int[] rowsOf(int first, int count) {
    int[] rows = new int[count];
    for (int i = 0; i < count; i++) {
      rows[i] = base + slots[first + i];
    }
    return rows;
  }

  /** Repeats the row before {@code from}. The slots there are free: what they held has run. */
  private void pad(int from, int to) {
    for (int slot = from; slot < to; slot++) {
      int target = slot;
      buffers.forEach(buffer -> buffer.move(from - 1, target));
    }
  }

  @Override
  public void close() {
    buffers.forEach(InputBuffer::close);
    buffers.clear();
    faults.close();
    results.close();
  }
}
