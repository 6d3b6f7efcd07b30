package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OperatorMessageTest {
  @Test
  void shouldKeepASentence() {
    assertThat(OperatorMessage.sentence("driver pod not found")).isEqualTo("driver pod not found");
    assertThat(OperatorMessage.sentence("")).isEmpty();
  }

  @Test
  void shouldFindTheDeepestCauseInALog() {
    assertThat(
            OperatorMessage.sentence(
                """
                failed to run spark-submit: Using Spark's default log4j profile
                26/11/30 02:25:55 INFO SparkKubernetesClientFactory: Auto-configuring K8S client
                Exception in thread "main" org.apache.spark.SparkException: Cannot submit: now
                \tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)
                Caused by: java.net.ConnectException: Connection refused: host
                \tat java.base/sun.nio.ch.Net.connect(Net.java)
                \t... 9 more
                """))
        .isEqualTo("spark-submit failed: ConnectException: Connection refused: host");
  }

  @Test
  void shouldTakeAnApiServersRefusalOutOfWhatTheClientSays() {
    assertThat(
            OperatorMessage.sentence(
                """
                failed to run spark-submit: WARNING: Using incubator modules
                Exception in thread "main" io.fabric8.kubernetes.client.KubernetesClientException: \
                Failure executing: POST at: https://10.96.0.1:443/api/v1/namespaces/longspan/pods. \
                Message: pods "first-driver" is forbidden: serviceaccount "nobody" not found. \
                Received status: Status(apiVersion=v1, code=403, kind=Status, status=Failure).
                \tat io.fabric8.kubernetes.client.KubernetesClientException.copyAsCause(K.java:205)
                """))
        .isEqualTo(
            "Kubernetes refused what spark-submit asked for: pods \"first-driver\" is forbidden:"
                + " serviceaccount \"nobody\" not found");
  }

  @Test
  void shouldNameAnErrorThatHasNoMessage() {
    assertThat(
            OperatorMessage.sentence(
                """
                Exception in thread "main" java.lang.StackOverflowError
                \tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)
                """))
        .isEqualTo("spark-submit failed: StackOverflowError");
  }

  @Test
  void shouldTakeTheLastLineWhereNothingWasThrown() {
    assertThat(OperatorMessage.sentence("exit status 1:\nError: Missing application resource.\n"))
        .isEqualTo("Error: Missing application resource.");
  }
}
