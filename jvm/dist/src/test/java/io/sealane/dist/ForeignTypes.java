package io.sealane.dist;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;

/** Methods whose return or parameter types match a predicate. */
final class ForeignTypes extends ArchCondition<JavaMethod> {
  private final DescribedPredicate<JavaClass> foreign;

  ForeignTypes(DescribedPredicate<JavaClass> foreign) {
    super("have types in their signature that are " + foreign.getDescription());
    this.foreign = foreign;
  }

  @Override
  public void check(JavaMethod method, ConditionEvents events) {
    boolean found =
        foreign.test(method.getRawReturnType())
            || method.getRawParameterTypes().stream().anyMatch(foreign);
    events.add(new SimpleConditionEvent(method, found, method.getFullName()));
  }
}
