package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.Pending;

/**
 * Passes every slice's latents round the ring, from each rank to the next one, as far as a rank
 * needs them; the next slice is in flight while a rank works with the one before. Backward, what a
 * rank makes of a slice goes straight back to the slice's owner, while the rank works with the next
 * one; the owner adds it up in the order of the ring.
 *
 * <p>Received, of w numbers a token: forward {@code w · Σ n_k} over the slices k that come to the
 * rank; backward as much again, and {@code w · n_p} from each other rank that needs its own slice
 * p.
 */
final class LatentRing {
  private final LatentPlace place;
  private final LatentPlan plan;
  private final Communicator ranks;
  private final int me;
  private final int width;

  /** Work with one slice's latents. */
  interface SliceWork {
    void accept(int slice, Matrix latents);
  }

  /** Adds the gradients of one slice's latents. */
  interface GradientWork {
    void accept(int slice, Matrix latents, Matrix gradient);
  }

  /**
   * @param width numbers of a token's latent
   */
  LatentRing(LatentPlace place, LatentPlan plan, int width) {
    this.place = place;
    this.plan = plan;
    this.ranks = place.sequence();
    this.me = ranks.index();
    this.width = width;
  }

  /** Works with the own slice, then with each other one that this rank needs. */
  void forward(Matrix own, SliceWork work) {
    Matrix held = own;
    for (int step = 0; step < plan.ranks(); step++) {
      Matrix next = room("arriving latents " + step % 2, at(step + 1));
      Pending passing = pass(step, held, next);
      if (step == 0 || plan.needs(me, at(step))) {
        work.accept(at(step), held);
      }
      passing.await();
      held = next;
    }
  }

  /**
   * Likewise backward.
   *
   * @param ownGradient {@code [tokens, width]}, zero: what all ranks make of the own slice
   */
  void backward(Matrix own, Matrix ownGradient, GradientWork work) {
    Matrix held = own;
    Pending returning = Pending.DONE;
    Matrix returned = room("returned latent gradients", me);
    for (int step = 0; step < plan.ranks(); step++) {
      Matrix next = room("arriving latents " + step % 2, at(step + 1));
      Pending passing = pass(step, held, next);
      Matrix gradient =
          step == 0 ? ownGradient : room("latent gradients of others " + step % 2, at(step));
      boolean isNeeded = plan.needs(me, at(step));
      if (step > 0 && isNeeded) {
        gradient.zero();
      }
      if (step == 0 || isNeeded) {
        work.accept(at(step), held, gradient);
      }
      passing.await();
      takeReturned(step - 1, returning, returned, ownGradient);
      returning = giveBack(step, gradient, returned);
      held = next;
    }
    takeReturned(plan.ranks() - 1, returning, returned, ownGradient);
  }

  /** The slice that this rank works with at {@code step}. */
  private int at(int step) {
    return Math.floorMod(me - step, plan.ranks());
  }

  private Pending pass(int step, Matrix held, Matrix next) {
    if (step + 1 == plan.ranks()) {
      return Pending.DONE;
    }
    int after = Math.floorMod(me + 1, plan.ranks());
    int before = Math.floorMod(me - 1, plan.ranks());
    boolean sends = plan.comesTo(after, at(step)) && held.rows() > 0;
    boolean receives = plan.comesTo(me, at(step + 1)) && next.rows() > 0;
    return exchange(sends, after, held, receives, before, next);
  }

  private Pending giveBack(int step, Matrix gradient, Matrix returned) {
    if (step == 0) {
      return Pending.DONE;
    }
    boolean sends = plan.needs(me, at(step));
    return exchange(sends, at(step), gradient, isReturnedAt(step), helper(step), returned);
  }

  /** The rank that works with this one's slice at {@code step}. */
  private int helper(int step) {
    return Math.floorMod(me + step, plan.ranks());
  }

  private boolean isReturnedAt(int step) {
    return step > 0 && plan.needs(helper(step), me);
  }

  private void takeReturned(int step, Pending returning, Matrix returned, Matrix ownGradient) {
    returning.await();
    if (isReturnedAt(step)) {
      place.numerics().rows().add(returned, ownGradient);
    }
  }

  private Pending exchange(
      boolean sends, int to, Matrix given, boolean receives, int from, Matrix taken) {
    if (sends && receives) {
      return ranks.startSendAndReceive(to, given.bytes(), from, taken.bytes());
    }
    if (sends) {
      return ranks.startSend(to, given.bytes());
    }
    return receives ? ranks.startReceive(from, taken.bytes()) : Pending.DONE;
  }

  private Matrix room(String name, int slice) {
    long rows = plan.slices().get(slice).length();
    return LatentRoom.of(place.memory(), "latent " + name, rows, width);
  }
}
