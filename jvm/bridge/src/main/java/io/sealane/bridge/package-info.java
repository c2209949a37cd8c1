/**
 * The door between Python and Java. Python calls {@link io.sealane.bridge.Bridge} and nothing else;
 * Java services reach Python through {@link io.sealane.bridge.PythonWorker}.
 */
@NullMarked
package io.sealane.bridge;

import org.jspecify.annotations.NullMarked;
