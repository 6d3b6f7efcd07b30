package org.longspan.driver.launch;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.collection.Iterator;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/**
 * Runs one task for each rank, all at the same time, as a barrier stage of Spark. {@code JavaRDD}
 * has no {@code barrier()}: the way through Spark's Scala interface is here alone.
 */
final class BarrierStage {
  private BarrierStage() {}

  /** What one task does. */
  @FunctionalInterface
  interface Body extends Serializable {
    void run(BarrierTaskContext task);
  }

  /**
   * Runs {@code body} on {@code ranks} tasks and waits for them. A shuffle follows the stage, since
   * Spark repeats only a stage that is followed by one when a task of it fails.
   */
  static void run(JavaSparkContext spark, int ranks, Body body) {
    List<Integer> numbers = IntStream.range(0, ranks).boxed().toList();
    ClassTag<Integer> tag = ClassTag$.MODULE$.apply(Integer.class);
    RDD<Integer> stage =
        spark
            .parallelize(numbers, ranks)
            .rdd()
            .barrier()
            .mapPartitions(new TaskFunction(body), false, tag);
    JavaRDD<Integer> done = JavaRDD.fromRDD(stage, tag).repartition(1);
    int count = done.collect().size();
    if (count != ranks) {
      throw new IllegalStateException(count + " of " + ranks + " ranks came to an end");
    }
  }

  private static final class TaskFunction
      extends AbstractFunction1<Iterator<Integer>, Iterator<Integer>> implements Serializable {
    private static final long serialVersionUID = 1L;
    private final Body body;

    private TaskFunction(Body body) {
      this.body = body;
    }

    @Override
    public Iterator<Integer> apply(Iterator<Integer> rank) {
      body.run(BarrierTaskContext.get());
      return rank;
    }
  }
}
