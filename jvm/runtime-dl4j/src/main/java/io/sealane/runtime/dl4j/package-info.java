/**
 * Deeplearning4j as an engine: trains the networks of bundles, and runs them.
 *
 * <p><b>How.</b> A network (docs/network-format.md) becomes one graph of Deeplearning4j, a vertex
 * for each layer, all weights in one vector, in the layouts of the format. The graph, its order and
 * its memory are Deeplearning4j's; what a layer computes is an {@code Operator} here, forward and
 * backward: matrix products by the OpenBLAS of ND4J, convolutions by libnd4j's operators, which
 * oneDNN computes, the rest in Java over native memory with sums in double. Deeplearning4j's own
 * layers are not used: their batch normalisation differs from PyTorch's and Keras' by 10⁻⁵, they
 * never reach oneDNN as released, and they have no layer normalisation, attention or GRU. None of
 * its importers, initialisers or array readers is used either.
 *
 * <p><b>What it holds to.</b> After 50 steps of SGD, Nesterov or Adam all weights together are
 * within 10⁻⁶ (relative, L2) of those of PyTorch and Keras, each weight within 10⁻⁵, for an MLP, a
 * convolutional network with batch normalisation and a transformer block; the tests hold it to
 * that. Equal calls in equal order give equal bits on one machine with an equal number of threads,
 * and a run that is resumed is the run that was not interrupted, bit for bit. A weight whose
 * gradient is nothing but rounding, such as the bias of a convolution in front of a batch
 * normalisation, goes its own way under Adam in every framework.
 *
 * <p><b>Limits.</b> CPU, single precision, Linux x86-64 with AVX2 as the bill of materials has it;
 * for another machine, exclude that classifier of {@code org.nd4j:nd4j-native} and add its own
 * ({@code linux-x86_64-onednn} without AVX2, {@code linux-x86_64-onednn-avx512}, {@code
 * linux-arm64}, {@code macosx-arm64}, {@code windows-x86_64}), which is not tested here. A tensor
 * has at most 2³¹ − 1 values. OpenBLAS has one number of threads for the process, which the session
 * opened last decides: open sessions that compute together with the same number. Upstream's last
 * release is of August 2022 and has one active maintainer. A crash in native code takes the JVM
 * down: services train in a process of their own.
 */
@NullMarked
package io.sealane.runtime.dl4j;

import org.jspecify.annotations.NullMarked;
