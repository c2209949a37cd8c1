package io.sealane.runtime.spi;

/**
 * Settings that every engine obeys or refuses.
 *
 * @param intraOpThreads threads of one operator; 0 for the engine's default
 * @param interOpThreads operators run at once; 0 for the engine's default
 * @param spinning whether idle threads of the engine wait busily: lower latency, more CPU time
 * @param optimisation how far the engine rewrites the graph; levels differ in rounding
 */
public record EngineOptions(
    int intraOpThreads, int interOpThreads, boolean spinning, Optimisation optimisation) {

  /** How far an engine rewrites a graph before it runs it. */
  public enum Optimisation {
    /** Not at all. */
    NONE,
    /** Only what keeps the operators, such as constant folding. */
    BASIC,
    /** Also fusions. */
    EXTENDED,
    /** All, changes of memory layout included; the engines' own default. */
    ALL
  }
}
