package io.sealane.runtime.dl4j;

import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Memory for one operator in one pass over the graph, all of it uninitialised FP32 in order 'c'.
 *
 * @param training whether statistics of the batch are used and what backward needs is kept
 * @param step the step's number, from 0
 * @param memory the graph's workspaces
 */
record Pass(boolean training, long step, LayerWorkspaceMgr memory) {
  /** An output of forward, or what backward needs of it: lives until the step's end. */
  INDArray value(long... shape) {
    return memory.createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, shape, 'c');
  }

  /** The gradient of an input, made in backward. */
  INDArray gradient(long... shape) {
    return memory.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, shape, 'c');
  }

  /** Memory that forward does not need after it returned. */
  INDArray scratch(long... shape) {
    return memory.createUninitialized(ArrayType.FF_WORKING_MEM, DataType.FLOAT, shape, 'c');
  }

  /** Memory that backward does not need after it returned. */
  INDArray backScratch(long... shape) {
    return memory.createUninitialized(ArrayType.BP_WORKING_MEM, DataType.FLOAT, shape, 'c');
  }
}
