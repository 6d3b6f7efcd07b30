package org.longspan.jobs.kubernetes;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Optional;
import java.util.Set;

/** What keeps a pod from working, where waiting would not mend it. */
final class PodTrouble {
  private static final Set<String> IMAGE =
      Set.of("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull");
  private static final Set<String> CONFIGURATION =
      Set.of("CreateContainerConfigError", "CreateContainerError");
  private static final String OUT_OF_MEMORY = "OOMKilled";

  private PodTrouble() {}

  /** A sentence that names the pod, what is wrong, and what would do. */
  static Optional<String> of(Pod pod) {
    for (ContainerStatus container : pod.getStatus().getContainerStatuses()) {
      ContainerState state = container.getState();
      if (state == null) {
        continue;
      }
      Optional<String> trouble =
          state.getWaiting() != null
              ? waiting(pod, container, state.getWaiting())
              : terminated(pod, state.getTerminated());
      if (trouble.isPresent()) {
        return trouble;
      }
    }
    return Optional.empty();
  }

  private static Optional<String> waiting(
      Pod pod, ContainerStatus container, ContainerStateWaiting waiting) {
    String reason = String.valueOf(waiting.getReason());
    String name = pod.getMetadata().getName();
    if (IMAGE.contains(reason)) {
      return Optional.of(
          String.format(
              "Pod %s cannot have the image %s (%s: %s); give one that the cluster can pull with"
                  + " --image.",
              name, container.getImage(), reason, ended(waiting.getMessage())));
    }
    if (CONFIGURATION.contains(reason)) {
      return Optional.of(
          String.format(
              "Pod %s cannot start (%s: %s); create what is missing in the namespace %s, or leave"
                  + " it out.",
              name, reason, ended(waiting.getMessage()), pod.getMetadata().getNamespace()));
    }
    return Optional.empty();
  }

  private static Optional<String> terminated(Pod pod, ContainerStateTerminated end) {
    return end != null && OUT_OF_MEMORY.equals(end.getReason())
        ? Optional.of(
            String.format(
                "Pod %s was killed because it took more memory than its container has; give it more"
                    + " with --conf spark.%s.memoryOverhead.",
                pod.getMetadata().getName(), driver(pod) ? "driver" : "executor"))
        : Optional.empty();
  }

  private static boolean driver(Pod pod) {
    return "driver".equals(pod.getMetadata().getLabels().get(PodTemplate.PART));
  }

  private static String ended(String message) {
    String text = message == null ? "no message" : message.strip();
    return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
  }
}
