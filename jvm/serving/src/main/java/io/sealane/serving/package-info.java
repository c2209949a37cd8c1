/** An inference service without its network edge: a repository of models, batching, deadlines. */
@NullMarked
package io.sealane.serving;

import org.jspecify.annotations.NullMarked;
