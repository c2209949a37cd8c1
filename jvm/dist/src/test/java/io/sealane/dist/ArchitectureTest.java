package io.sealane.dist;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;

/** The arrows between the modules, and what none of them may do. */
@AnalyzeClasses(packages = "io.sealane", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule arrowsPointOneWay =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .withOptionalLayers(true)
          .layer("core")
          .definedBy("io.sealane.core..")
          .layer("bundle")
          .definedBy("io.sealane.bundle..")
          .layer("runtime")
          .definedBy("io.sealane.runtime", "io.sealane.runtime.spi")
          .layer("onnx")
          .definedBy("io.sealane.runtime.onnx..")
          .layer("tensorflow")
          .definedBy("io.sealane.runtime.tensorflow..")
          .layer("training")
          .definedBy("io.sealane.training..")
          .layer("dl4j")
          .definedBy("io.sealane.runtime.dl4j..")
          .layer("bridge")
          .definedBy("io.sealane.bridge..")
          .layer("spark")
          .definedBy("io.sealane.spark..")
          .whereLayer("spark")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("bridge")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("onnx")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("tensorflow")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("dl4j")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("training")
          .mayOnlyBeAccessedByLayers("dl4j", "bridge", "spark")
          .whereLayer("runtime")
          .mayOnlyBeAccessedByLayers("onnx", "tensorflow", "dl4j", "training", "bridge", "spark")
          .whereLayer("bundle")
          .mayOnlyBeAccessedByLayers(
              "runtime", "onnx", "tensorflow", "dl4j", "training", "bridge", "spark");

  @ArchTest
  static final ArchRule coreDependsOnTheJdkAlone =
      classes()
          .that()
          .resideInAPackage("io.sealane.core..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("io.sealane.core..", "java..", "org.jspecify.annotations..");

  @ArchTest
  static final ArchRule engineModulesShowOnlyTheirProvider =
      classes()
          .that()
          .resideInAnyPackage(
              "io.sealane.runtime.onnx..",
              "io.sealane.runtime.tensorflow..",
              "io.sealane.runtime.dl4j..")
          .and()
          .haveModifier(PUBLIC)
          .should()
          .haveSimpleNameEndingWith("EngineProvider")
          .orShould()
          .haveSimpleNameEndingWith("TrainingEngine");

  @ArchTest
  static final ArchRule enginesAreSeenByTheirModuleOnly =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.sealane.runtime.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("ai.onnxruntime..");

  @ArchTest
  static final ArchRule tensorflowIsSeenByItsModuleOnly =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.sealane.runtime.tensorflow..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.tensorflow..");

  @ArchTest
  static final ArchRule deeplearning4jIsSeenByItsModuleOnly =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.sealane.runtime.dl4j..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.deeplearning4j..", "org.nd4j..");

  /** What both lines of Spark have alike is Java; Scala's collections are for the plan nodes. */
  @ArchTest
  static final ArchRule scalaCollectionsAreSeenByPlanNodesOnly =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.sealane.spark.plan..", "io.sealane.spark.plan212..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("scala.collection..");

  @ArchTest
  static final ArchRule sparkIsSeenByItsModulesOnly =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.sealane.spark..", "io.sealane.hosts..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.spark..", "org.apache.hadoop..", "scala..");

  /** Spark's own words, such as Dataset, are the words of those modules. */
  @ArchTest
  static final ArchRule publicSignaturesSpeakOfSealaneAndTheJdk =
      noMethods()
          .that()
          .arePublic()
          .and()
          .areDeclaredInClassesThat()
          .arePublic()
          .and()
          .areDeclaredInClassesThat()
          .resideOutsideOfPackage("io.sealane.spark..")
          .should(
              new ForeignTypes(
                  describe(
                      "neither Sealane's nor the JDK's",
                      type -> !type.isPrimitive() && isForeign(type))));

  @ArchTest
  static final ArchRule noCycles = slices().matching("io.sealane.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule noJavaSerialisation =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ObjectInputStream.class, ObjectOutputStream.class);

  /** Those read what an engine's native code obeys, which there is no other way to know. */
  @ArchTest
  static final ArchRule systemPropertiesAreForEntryPoints =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("io.sealane.runtime.NativeJars")
          .and()
          .doNotHaveFullyQualifiedName("io.sealane.runtime.tensorflow.Settings")
          .and()
          .doNotHaveFullyQualifiedName("io.sealane.runtime.dl4j.Natives$Loaded")
          .should()
          .callMethod(System.class, "getProperty", String.class)
          .orShould()
          .callMethod(System.class, "getProperty", String.class, String.class)
          .orShould()
          .callMethod(System.class, "getenv", String.class)
          .orShould()
          .callMethod(Integer.class, "getInteger", String.class)
          .orShould()
          .callMethod(Boolean.class, "getBoolean", String.class);

  @ArchTest
  static final ArchRule namesSayWhatAClassIs =
      noClasses()
          .should()
          .haveSimpleNameEndingWith("Util")
          .orShould()
          .haveSimpleNameEndingWith("Utils")
          .orShould()
          .haveSimpleNameEndingWith("Helper")
          .orShould()
          .haveSimpleNameEndingWith("Manager")
          .orShould()
          .haveSimpleNameEndingWith("Impl")
          .orShould()
          .haveSimpleNameStartingWith("Base");

  private static boolean isForeign(JavaClass type) {
    JavaClass element = type.getBaseComponentType();
    String name = element.getPackageName();
    return !element.isPrimitive() && !name.startsWith("io.sealane") && !name.startsWith("java.");
  }
}
