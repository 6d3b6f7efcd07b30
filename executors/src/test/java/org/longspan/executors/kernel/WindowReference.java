package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.Random;

/** Sliding-window attention as it is defined, row by row, in double, over a whole sequence. */
public final class WindowReference {
  final AttentionShape shape;
  final Documents documents;
  final double[] q;
  final double[] k;
  final double[] v;
  final double[] outputGradient;
  final double[] o;
  final double[] logSums;
  final double[] dq;
  final double[] dk;
  final double[] dv;

  public WindowReference(long seed, AttentionShape shape, Documents documents, int window) {
    this.shape = shape;
    this.documents = documents;
    Random random = new Random(seed);
    int tokens = documents.tokens();
    double scale = 2 / Math.sqrt(shape.keyWidth());
    q = random.doubles((long) tokens * shape.keyColumns(), -scale, scale).toArray();
    k = random.doubles((long) tokens * shape.keyColumns(), -2, 2).toArray();
    v = random.doubles((long) tokens * shape.valueColumns(), -1, 1).toArray();
    outputGradient = random.doubles((long) tokens * shape.valueColumns(), -1, 1).toArray();
    o = new double[v.length];
    logSums = new double[tokens * shape.heads()];
    dq = new double[q.length];
    dk = new double[k.length];
    dv = new double[v.length];
    for (int head = 0; head < shape.heads(); head++) {
      for (int token = 0; token < tokens; token++) {
        row(head, token, window);
      }
    }
  }

  private int key(int token, int head) {
    return token * shape.keyColumns() + head * shape.keyWidth();
  }

  private int value(int token, int head) {
    return token * shape.valueColumns() + head * shape.valueWidth();
  }

  private void row(int head, int token, int window) {
    int lowest = (int) Math.max(Math.max(0, token - window + 1), documents.startOf(token));
    double[] p = new double[token + 1];
    for (int s = lowest; s <= token; s++) {
      p[s] = dot(q, key(token, head), k, key(s, head), shape.keyWidth());
    }
    double maximum = Arrays.stream(p, lowest, token + 1).max().getAsDouble();
    double sum = 0;
    for (int s = lowest; s <= token; s++) {
      p[s] = Math.exp(p[s] - maximum);
      sum += p[s];
    }
    logSums[token * shape.heads() + head] = maximum + Math.log(sum);
    int out = value(token, head);
    for (int s = lowest; s <= token; s++) {
      p[s] /= sum;
      add(p[s], v, value(s, head), o, out, shape.valueWidth());
    }
    double mean = dot(outputGradient, out, o, out, shape.valueWidth());
    for (int s = lowest; s <= token; s++) {
      add(p[s], outputGradient, out, dv, value(s, head), shape.valueWidth());
      double gradient = dot(outputGradient, out, v, value(s, head), shape.valueWidth()) - mean;
      add(p[s] * gradient, k, key(s, head), dq, key(token, head), shape.keyWidth());
      add(p[s] * gradient, q, key(token, head), dk, key(s, head), shape.keyWidth());
    }
  }

  private static double dot(double[] a, int aFrom, double[] b, int bFrom, int length) {
    double sum = 0;
    for (int i = 0; i < length; i++) {
      sum += a[aFrom + i] * b[bFrom + i];
    }
    return sum;
  }

  private static void add(double factor, double[] x, int xFrom, double[] y, int yFrom, int length) {
    for (int i = 0; i < length; i++) {
      y[yFrom + i] += factor * x[xFrom + i];
    }
  }
}
