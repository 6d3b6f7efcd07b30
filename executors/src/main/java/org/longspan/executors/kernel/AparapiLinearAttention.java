package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import org.longspan.executors.kernel.AttendRows.Order;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * {@link LinearAttention} on an OpenCL device. Gradients are the same attention with its inputs'
 * roles exchanged: dQ from (dO, V, K) with the transposed state, dV from (K, Q, dO) and dK from (V,
 * dO, Q) over the tokens in reverse.
 *
 * <p>Threading: as {@link LinearAttention}; attentions of one shape share a kernel instance and
 * wait for each other.
 */
final class AparapiLinearAttention implements LinearAttention {
  private final OpenCLDevice device;
  private final AttentionShape shape;
  private final int chunk;
  private final AttentionMatrices matrices;
  private final FloatDecay[] decays;
  private final float[] ones;
  private final AparapiAttend attend;
  private final String description;
  private boolean isClosed;

  AparapiLinearAttention(
      OpenCLDevice device, AttentionShape shape, double[] slopes, int chunk, String description) {
    this.device = device;
    this.shape = shape;
    this.chunk = chunk;
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
    this.decays = new FloatDecay[shape.heads()];
    Arrays.setAll(decays, head -> new FloatDecay(slopes[head], chunk));
    this.ones = new float[shape.heads()];
    Arrays.fill(ones, 1f);
    this.attend = AparapiPool.take(device, shape, chunk);
    this.description = description;
  }

  @Override
  public void summarize(Matrix k, Matrix v, Documents documents, Matrix summary) {
    matrices.checkKeys("k", k, documents.tokens());
    matrices.checkValues("v", v, documents.tokens());
    matrices.checkState("summary", summary);
    int first = documents.lastStart();
    AttendRows rows = new AttendRows(first, documents.tokens() - first, Order.FORWARD);
    summarize(rows, (FloatMatrix) k, (FloatMatrix) v, ones, (FloatMatrix) summary);
  }

  @Override
  public void summarizeGradient(
      Matrix q, Matrix outputGradient, Documents documents, Matrix summary) {
    matrices.checkKeys("q", q, documents.tokens());
    matrices.checkValues("outputGradient", outputGradient, documents.tokens());
    matrices.checkState("summary", summary);
    AttendRows rows = new AttendRows(0, documents.continued(), Order.REVERSE);
    float[] factors = new float[shape.heads()];
    for (int head = 0; head < factors.length; head++) {
      factors[head] = decays[head].power(1);
    }
    summarize(rows, (FloatMatrix) q, (FloatMatrix) outputGradient, factors, (FloatMatrix) summary);
  }

  private void summarize(
      AttendRows rows, FloatMatrix k, FloatMatrix v, float[] factors, FloatMatrix summary) {
    if (rows.count() == 0) {
      summary.zero();
      return;
    }
    synchronized (attend) {
      attend.begin(rows, undivided(rows), decays, shape.keyWidth(), shape.valueWidth());
      attend.keys(k);
      attend.values(v);
      attend.summarize(factors, summary);
    }
  }

  @Override
  public void forward(Matrix q, Matrix k, Matrix v, Documents documents, Matrix o) {
    checkInputs(q, k, v, documents);
    matrices.checkValues("o", o, documents.tokens());
    if (documents.tokens() == 0) {
      return;
    }
    synchronized (attend) {
      begin(whole(documents, Order.FORWARD), documents, shape.keyWidth(), shape.valueWidth());
      attend(q, k, v, o);
    }
  }

  @Override
  public void addIncoming(Matrix q, Matrix incoming, Documents documents, Matrix o) {
    matrices.checkKeys("q", q, documents.tokens());
    matrices.checkState("incoming", incoming);
    matrices.checkValues("o", o, documents.tokens());
    AttendRows rows = new AttendRows(0, documents.continued(), Order.FORWARD);
    if (rows.count() == 0) {
      return;
    }
    synchronized (attend) {
      attend.begin(rows, undivided(rows), decays, shape.keyWidth(), shape.valueWidth());
      attend.queries((FloatMatrix) q);
      attend.initial((FloatMatrix) incoming);
      attend.addSpread(1, (FloatMatrix) o);
    }
  }

  @Override
  public void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      Matrix dq,
      Matrix dk,
      Matrix dv) {
    int tokens = documents.tokens();
    checkInputs(q, k, v, documents);
    matrices.checkValues("outputGradient", outputGradient, tokens);
    matrices.checkState("incoming", incoming);
    matrices.checkKeys("dq", dq, tokens);
    matrices.checkKeys("dk", dk, tokens);
    matrices.checkValues("dv", dv, tokens);
    if (tokens == 0) {
      return;
    }
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    AttendRows reverse = whole(documents, Order.REVERSE);
    synchronized (attend) {
      begin(whole(documents, Order.FORWARD), documents, valueWidth, keyWidth);
      if (documents.continued() > 0) {
        attend.initialAcross((FloatMatrix) incoming);
      }
      attend(outputGradient, v, k, dq);
      begin(reverse, documents, valueWidth, keyWidth);
      attend(v, outputGradient, q, dk);
      begin(reverse, documents, keyWidth, valueWidth);
      attend(k, q, outputGradient, dv);
    }
  }

  @Override
  public void addIncomingGradient(
      Matrix k, Matrix v, Matrix incomingGradient, Documents documents, Matrix dk, Matrix dv) {
    int tokens = documents.tokens();
    matrices.checkKeys("k", k, tokens);
    matrices.checkValues("v", v, tokens);
    matrices.checkState("incomingGradient", incomingGradient);
    matrices.checkKeys("dk", dk, tokens);
    matrices.checkValues("dv", dv, tokens);
    int first = documents.lastStart();
    AttendRows rows = new AttendRows(first, tokens - first, Order.REVERSE);
    if (rows.count() == 0) {
      return;
    }
    synchronized (attend) {
      attend.begin(rows, undivided(rows), decays, shape.keyWidth(), shape.valueWidth());
      attend.queries((FloatMatrix) k);
      attend.initial((FloatMatrix) incomingGradient);
      attend.addSpread(0, (FloatMatrix) dv);
      attend.begin(rows, undivided(rows), decays, shape.valueWidth(), shape.keyWidth());
      attend.queries((FloatMatrix) v);
      attend.initialAcross((FloatMatrix) incomingGradient);
      attend.addSpread(0, (FloatMatrix) dk);
    }
  }

  private void begin(AttendRows rows, Documents documents, int keyWidth, int valueWidth) {
    attend.begin(rows, rows.documents(documents), decays, keyWidth, valueWidth);
  }

  private void attend(Matrix q, Matrix k, Matrix v, Matrix o) {
    attend.queries((FloatMatrix) q);
    attend.keys((FloatMatrix) k);
    attend.values((FloatMatrix) v);
    attend.attend((FloatMatrix) o);
  }

  private void checkInputs(Matrix q, Matrix k, Matrix v, Documents documents) {
    matrices.checkKeys("q", q, documents.tokens());
    matrices.checkKeys("k", k, documents.tokens());
    matrices.checkValues("v", v, documents.tokens());
  }

  private static AttendRows whole(Documents documents, Order order) {
    return new AttendRows(0, documents.tokens(), order);
  }

  private static Documents undivided(AttendRows rows) {
    return Documents.one(rows.count(), 1);
  }

  @Override
  public double[] transition(Documents documents) {
    double[] transition = new double[shape.heads()];
    if (documents.passesThrough()) {
      Arrays.setAll(transition, head -> decays[head].power(documents.tokens()));
    }
    return transition;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      AparapiPool.giveBack(device, shape, chunk);
    }
  }
}
