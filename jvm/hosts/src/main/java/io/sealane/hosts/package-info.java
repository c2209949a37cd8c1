/** Programs that hold all engines at once, each in another host. Not published. */
@NullMarked
package io.sealane.hosts;

import org.jspecify.annotations.NullMarked;
