import io.sealane.spark.training.EpochReport;
import io.sealane.spark.training.Objective;
import io.sealane.spark.training.SparkTrained;
import io.sealane.spark.training.SparkTraining;
import io.sealane.training.WrapZip;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.api.Repartition;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/**
 * One network on the same rows by Sealane's trainer and by dl4j-spark's parameter averaging, each
 * beside one machine that takes the same batches as one. Prints a line of words for each contestant:
 * name, optimizer, seconds of an epoch (the best), distance to one machine as a share of how far
 * that went.
 */
final class TrainersCompared {
  private static final int WIDTH = 32;
  private static final int BATCH = 256;
  private static final int RANKS = 2;
  private static final int EPOCHS = 3;

  private final JavaSparkContext context;
  private final Dataset<Row> table;
  private final List<DataSet> batches = new ArrayList<>();
  private final Path folder;
  private final String optimizer;
  private final double rate;

  private TrainersCompared(SparkSession spark, Path folder, int rows, String optimizer, double rate) {
    this.context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.folder = folder;
    this.optimizer = optimizer;
    this.rate = rate;
    Random random = new Random(5);
    List<Row> made = new ArrayList<>();
    for (int start = 0; start < rows; start += BATCH) {
      float[][] x = new float[BATCH][WIDTH];
      float[][] y = new float[BATCH][1];
      for (int i = 0; i < BATCH; i++) {
        Float[] values = new Float[WIDTH];
        for (int j = 0; j < WIDTH; j++) {
          x[i][j] = (float) random.nextGaussian();
          values[j] = x[i][j];
        }
        y[i][0] = x[i][0] * x[i][1] + x[i][2] > 0 ? 1 : 0;
        made.add(RowFactory.create(values, (double) y[i][0]));
      }
      batches.add(new DataSet(Nd4j.create(x), Nd4j.create(y)));
    }
    StructType schema =
        new StructType()
            .add("input", DataTypes.createArrayType(DataTypes.FloatType))
            .add("y", DataTypes.DoubleType);
    this.table = spark.createDataFrame(made, schema).repartition(4).cache();
  }

  private IUpdater updater() {
    return optimizer.equals("sgd") ? new Sgd(rate) : new Adam(rate);
  }

  private MultiLayerConfiguration configuration() {
    return new NeuralNetConfiguration.Builder()
        .seed(7)
        .updater(updater())
        .list()
        .layer(new DenseLayer.Builder().nIn(WIDTH).nOut(128).activation(Activation.RELU).build())
        .layer(new DenseLayer.Builder().nIn(128).nOut(64).activation(Activation.RELU).build())
        .layer(
            new OutputLayer.Builder(LossFunctions.LossFunction.XENT)
                .nIn(64)
                .nOut(1)
                .activation(Activation.SIGMOID)
                .build())
        .build();
  }

  private MultiLayerNetwork fresh() {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration());
    network.init();
    return network;
  }

  private void told(String name, double seconds, double distance) {
    System.out.printf(Locale.ROOT, "RESULT %s %s %.3f %.3e%n", name, optimizer, seconds, distance);
  }

  private void sealane() throws Exception {
    Path zip = folder.resolve(optimizer + ".zip");
    ModelSerializer.writeModel(fresh(), zip.toFile(), false);
    Path bundle = folder.resolve(optimizer + "-bundle");
    WrapZip.of(zip, "mlp").save(bundle, "1.0.0");
    SparkTrained one = training(bundle, 1).shared(folder.resolve(optimizer + "-1"), false).run(table);
    SparkTrained shared =
        training(bundle, RANKS).shared(folder.resolve(optimizer + "-2"), false).run(table);
    float[] start = start(bundle);
    told("sealane", best(shared), distance(flat(shared), flat(one), start));
    SparkTrained local = training(bundle, RANKS).localSteps(5).run(table);
    told("sealane-local-steps-5", best(local), distance(flat(local), flat(one), start));
  }

  private SparkTraining training(Path bundle, int ranks) {
    return SparkTraining.of(bundle, "y")
        .objective(Objective.BINARY)
        .optimizer(optimizer, rate)
        .ranks(ranks)
        .lanes(RANKS)
        .batchSize(BATCH * RANKS / ranks)
        .epochs(EPOCHS)
        .validation(0);
  }

  private float[] start(Path bundle) {
    // A rate of next to nothing leaves the weights where they begin.
    return flat(
        SparkTraining.of(bundle, "y")
            .optimizer("sgd", 1e-30)
            .ranks(1)
            .batchSize(BATCH)
            .epochs(1)
            .validation(0)
            .run(table.limit(BATCH)));
  }

  private static double best(SparkTrained trained) {
    return trained.report().epochs().stream().mapToDouble(EpochReport::seconds).min().orElseThrow();
  }

  private static float[] flat(SparkTrained trained) {
    List<Float> all = new ArrayList<>();
    trained.weights().tensors().values().forEach(weight -> {
      for (float value : weight.values()) {
        all.add(value);
      }
    });
    float[] values = new float[all.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = all.get(i);
    }
    return values;
  }

  /** Rank i has the batches i, i + 2, …; one machine takes theirs together. */
  private void averaging(int frequency) {
    MultiLayerNetwork one = fresh();
    INDArray begin = one.params().dup();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      for (int i = 0; i + RANKS <= batches.size(); i += RANKS) {
        one.fit(DataSet.merge(batches.subList(i, i + RANKS)));
      }
    }
    List<DataSet> byRank = new ArrayList<>();
    for (int rank = 0; rank < RANKS; rank++) {
      for (int i = rank; i < batches.size(); i += RANKS) {
        byRank.add(batches.get(i));
      }
    }
    JavaRDD<DataSet> data = context.parallelize(byRank, RANKS).cache();
    data.count();
    ParameterAveragingTrainingMaster master =
        new ParameterAveragingTrainingMaster.Builder(RANKS, BATCH)
            .batchSizePerWorker(BATCH)
            .averagingFrequency(frequency)
            .workerPrefetchNumBatches(0)
            .repartionData(Repartition.Never)
            .build();
    SparkDl4jMultiLayer trained = new SparkDl4jMultiLayer(context, fresh(), master);
    double best = Double.POSITIVE_INFINITY;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      long began = System.nanoTime();
      trained.fit(data);
      best = Math.min(best, (System.nanoTime() - began) / 1e9);
    }
    float[] found = trained.getNetwork().params().toFloatVector();
    told(
        "dl4j-spark-every-" + frequency,
        best,
        distance(found, one.params().toFloatVector(), begin.toFloatVector()));
  }

  private static double distance(float[] found, float[] one, float[] start) {
    double apart = 0;
    double went = 0;
    for (int i = 0; i < one.length; i++) {
      apart += Math.pow((double) found[i] - one[i], 2);
      went += Math.pow((double) one[i] - start[i], 2);
    }
    return Math.sqrt(apart / went);
  }

  public static void main(String[] args) throws Exception {
    int rows = Integer.parseInt(args[0]);
    SparkSession spark =
        SparkSession.builder()
            .master("local[" + RANKS + "]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate();
    spark.sparkContext().setLogLevel("ERROR");
    Path folder = Files.createTempDirectory("trainers-");
    for (String optimizer : List.of("sgd", "adam")) {
      double rate = optimizer.equals("sgd") ? 0.1 : 1e-3;
      TrainersCompared each = new TrainersCompared(spark, folder, rows, optimizer, rate);
      each.sealane();
      each.averaging(1);
      each.averaging(5);
    }
    spark.stop();
  }
}
