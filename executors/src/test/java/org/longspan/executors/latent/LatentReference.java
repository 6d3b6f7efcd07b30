package org.longspan.executors.latent;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Latent attention in plain arrays on one rank, whole score matrices, written from the formulas:
 * what the ranks' results are held against.
 */
final class LatentReference {
  private final LatentCase given;
  private final LatentShape shape;
  private final int tokens;
  private double[][] cq;
  private double[][] cqHat;
  private double[][] c;
  private double[][] cHat;
  private double[][] keyRope;
  private final double[][] inverse;
  private final double[] queryInverse;

  LatentReference(LatentCase given) {
    this.given = given;
    this.shape = given.shape();
    this.tokens = given.tokens();
    this.inverse = new double[shape.groups()][tokens];
    this.queryInverse = new double[tokens];
  }

  private double[][] weight(String name) {
    return given.weights().get(name);
  }

  private double estimate(int group) {
    if (shape.form() == LatentForm.MLRA) {
      return shape.groups();
    }
    return given.estimates()[group];
  }

  private boolean isExact() {
    return shape.form() == LatentForm.MLA
        || (shape.form() == LatentForm.TPLA && shape.norm() == LatentNorm.EXACT);
  }

  private double contentScale(int group) {
    return shape.form() == LatentForm.TPLA ? weight("mu")[0][group] : 1;
  }

  private double outputScale() {
    return shape.form() == LatentForm.MLRA ? 1 / Math.sqrt(shape.groups()) : 1;
  }

  private boolean sees(int query, int key) {
    int document = 0;
    for (int start : given.documents()) {
      document = start <= query ? start : document;
    }
    return key >= document && key <= query;
  }

  private void latents() {
    double[][] x = given.x();
    cq = null;
    cqHat = x;
    if (shape.queryRank() > 0) {
      cq = times(x, weight("wdq"));
      cqHat = new double[tokens][shape.queryRank()];
      for (int t = 0; t < tokens; t++) {
        queryInverse[t] = 1 / Math.sqrt(squares(cq[t], 0, cq[t].length) / cq[t].length + eps());
        for (int j = 0; j < cq[t].length; j++) {
          cqHat[t][j] = cq[t][j] * queryInverse[t] * weight("gamma_q")[0][j];
        }
      }
    }
    c = times(x, weight("wdkv"));
    cHat = new double[tokens][shape.rank()];
    int width = shape.groupColumns();
    for (int t = 0; t < tokens; t++) {
      for (int group = 0; group < shape.groups(); group++) {
        double n =
            isExact()
                ? squares(c[t], 0, shape.rank())
                : estimate(group) * squares(c[t], group * width, (group + 1) * width);
        inverse[group][t] = 1 / Math.sqrt(n / shape.rank() + eps());
        for (int j = group * width; j < (group + 1) * width; j++) {
          cHat[t][j] = c[t][j] * inverse[group][t] * weight("gamma")[0][j];
        }
      }
    }
    keyRope = rotated(times(x, weight("wkr")), 1);
  }

  private double eps() {
    return shape.epsilon();
  }

  private static double squares(double[] row, int from, int to) {
    double sum = 0;
    for (int j = from; j < to; j++) {
      sum += row[j] * row[j];
    }
    return sum;
  }

  private double[][] rotated(double[][] rows, int direction) {
    double[][] out = new double[rows.length][shape.rope()];
    for (int t = 0; t < rows.length; t++) {
      for (int pair = 0; pair < shape.rope() / 2; pair++) {
        double angle = direction * t * Math.pow(shape.theta(), -2.0 * pair / shape.rope());
        double even = rows[t][2 * pair];
        double odd = rows[t][2 * pair + 1];
        out[t][2 * pair] = even * Math.cos(angle) - odd * Math.sin(angle);
        out[t][2 * pair + 1] = odd * Math.cos(angle) + even * Math.sin(angle);
      }
    }
    return out;
  }

  /** {@code u}, {@code [tokens, width]}. */
  double[][] output() {
    return run(null);
  }

  /** {@code ⟨u, du⟩}. */
  double loss() {
    double[][] u = output();
    double sum = 0;
    for (int t = 0; t < tokens; t++) {
      for (int j = 0; j < shape.width(); j++) {
        sum += u[t][j] * given.outputGradient()[t][j];
      }
    }
    return sum;
  }

  /** The gradients of {@link #loss} by x, under that name, and by every weight. */
  Map<String, double[][]> gradients() {
    Map<String, double[][]> gradients = new LinkedHashMap<>();
    given.weights().forEach((name, w) -> gradients.put(name, new double[w.length][w[0].length]));
    gradients.put("x", new double[tokens][shape.width()]);
    run(gradients);
    return gradients;
  }

  private double[][] run(Map<String, double[][]> gradients) {
    latents();
    double[][] u = new double[tokens][shape.width()];
    double[][] dcqHat = new double[tokens][shape.queryInput()];
    double[][] dcHat = new double[tokens][shape.rank()];
    double[][] dKeyRope = new double[tokens][shape.rope()];
    for (int head = 0; head < shape.heads(); head++) {
      for (int group = 0; group < shape.groups(); group++) {
        head(head, group, u, gradients, dcqHat, dcHat, dKeyRope);
      }
    }
    if (gradients != null) {
      down(gradients, dcqHat, dcHat, dKeyRope);
    }
    return u;
  }

  private void head(
      int head,
      int group,
      double[][] u,
      Map<String, double[][]> gradients,
      double[][] dcqHat,
      double[][] dcHat,
      double[][] dKeyRope) {
    int width = shape.groupColumns();
    int first = group * width;
    double tau = 1 / Math.sqrt(shape.nope() + shape.rope());
    double mu = contentScale(group);
    double[][] content = piece(cHat, 0, tokens, first, width);
    double[][] wuq = piece(weight("wuq"), 0, shape.queryInput(), head * shape.nope(), shape.nope());
    double[][] wqr = piece(weight("wqr"), 0, shape.queryInput(), head * shape.rope(), shape.rope());
    double[][] wuk = piece(weight("wuk"), first, width, head * shape.nope(), shape.nope());
    double[][] wuv = piece(weight("wuv"), first, width, head * shape.value(), shape.value());
    double[][] wo = piece(weight("wo"), head * shape.value(), shape.value(), 0, shape.width());
    double[][] qC = times(cqHat, wuq);
    double[][] qR = rotated(times(cqHat, wqr), 1);
    double[][] k = times(content, wuk);
    double[][] v = scaled(times(content, wuv), outputScale());
    double[][] p = new double[tokens][tokens];
    for (int t = 0; t < tokens; t++) {
      double most = Double.NEGATIVE_INFINITY;
      for (int s = 0; s < tokens; s++) {
        if (sees(t, s)) {
          p[t][s] = tau * (mu * dot(qC[t], k[s]) + dot(qR[t], keyRope[s]));
          most = Math.max(most, p[t][s]);
        }
      }
      double sum = 0;
      for (int s = 0; s < tokens; s++) {
        p[t][s] = sees(t, s) ? Math.exp(p[t][s] - most) : 0;
        sum += p[t][s];
      }
      for (int s = 0; s < tokens; s++) {
        p[t][s] /= sum;
      }
    }
    double[][] o = times(p, v);
    add(times(o, wo), u);
    if (gradients == null) {
      return;
    }
    double[][] outputGradient = given.outputGradient();
    double[][] dO = times(outputGradient, transposed(wo));
    put(times(transposed(o), outputGradient), gradients.get("wo"), head * shape.value(), 0);
    double[][] dv = scaled(times(transposed(p), dO), outputScale());
    double[][] dp = times(dO, transposed(v));
    double[][] ds = new double[tokens][tokens];
    for (int t = 0; t < tokens; t++) {
      double mean = dot(dO[t], o[t]);
      for (int s = 0; s < tokens; s++) {
        ds[t][s] = p[t][s] * (dp[t][s] - mean);
      }
    }
    double[][] dqC = scaled(times(ds, k), tau * mu);
    double[][] dqR = rotated(scaled(times(ds, keyRope), tau), -1);
    double[][] dk = scaled(times(transposed(ds), qC), tau * mu);
    add(scaled(times(transposed(ds), qR), tau), dKeyRope);
    if (shape.form() == LatentForm.TPLA) {
      double[][] scores = times(qC, transposed(k));
      for (int t = 0; t < tokens; t++) {
        gradients.get("mu")[0][group] += tau * dot(ds[t], scores[t]);
      }
    }
    put(times(transposed(cqHat), dqC), gradients.get("wuq"), 0, head * shape.nope());
    put(times(transposed(cqHat), dqR), gradients.get("wqr"), 0, head * shape.rope());
    put(times(transposed(content), dk), gradients.get("wuk"), first, head * shape.nope());
    put(times(transposed(content), dv), gradients.get("wuv"), first, head * shape.value());
    add(times(dqC, transposed(wuq)), dcqHat);
    add(times(dqR, transposed(wqr)), dcqHat);
    put(times(dk, transposed(wuk)), dcHat, 0, first);
    put(times(dv, transposed(wuv)), dcHat, 0, first);
  }

  private void down(
      Map<String, double[][]> gradients, double[][] dcqHat, double[][] dcHat, double[][] dKeyRope) {
    double[][] x = given.x();
    double[][] dx = gradients.get("x");
    if (shape.queryRank() > 0) {
      double[][] dcq = new double[tokens][shape.queryRank()];
      for (int t = 0; t < tokens; t++) {
        double[] gain = weight("gamma_q")[0];
        normGradient(
            dcqHat[t],
            cq[t],
            gain,
            gradients.get("gamma_q")[0],
            queryInverse[t],
            1.0,
            dcq[t],
            0,
            gain.length,
            gain.length);
      }
      add(times(transposed(x), dcq), gradients.get("wdq"));
      add(times(dcq, transposed(weight("wdq"))), dx);
    } else {
      add(dcqHat, dx);
    }
    double[][] dc = new double[tokens][shape.rank()];
    int width = shape.groupColumns();
    for (int t = 0; t < tokens; t++) {
      int norms = isExact() ? 1 : shape.groups();
      int columns = isExact() ? shape.rank() : width;
      for (int norm = 0; norm < norms; norm++) {
        double factor = isExact() ? 1 : estimate(norm);
        normGradient(
            dcHat[t],
            c[t],
            weight("gamma")[0],
            gradients.get("gamma")[0],
            inverse[norm][t],
            factor,
            dc[t],
            norm * columns,
            (norm + 1) * columns,
            shape.rank());
      }
    }
    add(times(transposed(x), dc), gradients.get("wdkv"));
    add(times(dc, transposed(weight("wdkv"))), dx);
    double[][] dWithoutPositions = rotated(dKeyRope, -1);
    add(times(transposed(x), dWithoutPositions), gradients.get("wkr"));
    add(times(dWithoutPositions, transposed(weight("wkr"))), dx);
  }

  /** Of {@code y = x r γ}, {@code r = (factor · Σx² / rank + ε)^(−1/2)}, the sum over a range. */
  private static void normGradient(
      double[] dy,
      double[] x,
      double[] gain,
      double[] dGain,
      double r,
      double factor,
      double[] dx,
      int from,
      int to,
      int rank) {
    double byR = 0;
    for (int j = from; j < to; j++) {
      byR += dy[j] * x[j] * gain[j];
      dGain[j] += dy[j] * x[j] * r;
    }
    double bySquares = byR * -0.5 * r * r * r * factor / rank;
    for (int j = from; j < to; j++) {
      dx[j] = dy[j] * gain[j] * r + 2 * x[j] * bySquares;
    }
  }

  private static double[][] times(double[][] a, double[][] b) {
    double[][] c = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        for (int j = 0; j < b[0].length; j++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  private static double[][] transposed(double[][] a) {
    double[][] t = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        t[j][i] = a[i][j];
      }
    }
    return t;
  }

  private static double[][] scaled(double[][] a, double factor) {
    double[][] out = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        out[i][j] = factor * a[i][j];
      }
    }
    return out;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[][] piece(double[][] a, int row, int rows, int column, int columns) {
    double[][] out = new double[rows][columns];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(a[row + i], column, out[i], 0, columns);
    }
    return out;
  }

  private static void add(double[][] from, double[][] into) {
    put(from, into, 0, 0);
  }

  /** Adds at a place. */
  private static void put(double[][] from, double[][] into, int row, int column) {
    for (int i = 0; i < from.length; i++) {
      for (int j = 0; j < from[0].length; j++) {
        into[row + i][column + j] += from[i][j];
      }
    }
  }
}
