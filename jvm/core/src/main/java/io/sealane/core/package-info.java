/** The words every module speaks: dtypes, signatures, tensors and errors. No dependencies. */
@NullMarked
package io.sealane.core;

import org.jspecify.annotations.NullMarked;
