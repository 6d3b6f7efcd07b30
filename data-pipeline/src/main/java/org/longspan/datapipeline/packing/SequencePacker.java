package org.longspan.datapipeline.packing;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.PrimitiveIterator;
import org.longspan.datapipeline.dataset.IntArray;
import org.longspan.datapipeline.dataset.SequenceLayout;
import org.longspan.datapipeline.tokenizer.Tokenizer;

/**
 * Lays documents one after the other, from a given position of the split's token stream on, and
 * cuts the stream into fragments that end where pieces end. Holds one document and one piece at a
 * time. For one thread.
 */
public final class SequencePacker implements Iterator<Fragment> {
  private final Tokenizer tokenizer;
  private final SequenceLayout layout;
  private final Iterator<byte[]> documents;
  private PrimitiveIterator.OfInt document;
  private boolean fresh;
  private long position;
  private long documentStart;

  /**
   * @param documents the UTF-8 text of the documents
   * @param position the place in the split's token stream of the first document's first token
   */
  public SequencePacker(
      Tokenizer tokenizer, SequenceLayout layout, Iterator<byte[]> documents, long position) {
    this.tokenizer = tokenizer;
    this.layout = layout;
    this.documents = documents;
    this.position = position;
  }

  @Override
  public boolean hasNext() {
    while (document == null || !document.hasNext()) {
      if (!documents.hasNext()) {
        return false;
      }
      document = tokenizer.document(documents.next());
      fresh = true;
    }
    return true;
  }

  @Override
  public Fragment next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The documents are over at token " + position);
    }
    int offset = layout.offset(position);
    int piece = layout.piece(offset);
    int start = offset - layout.pieceStart(piece);
    int room = layout.pieceEnd(piece) - offset;
    Fragment fragment = new Fragment();
    fragment.setSequence(layout.sequence(position));
    fragment.setPiece(piece);
    fragment.setStart(start);
    if (fresh || offset == 0) {
      documentStart = position;
    }
    fragment.setCarried((int) (position - documentStart));
    fill(fragment, start, room, offset == 0);
    return fragment;
  }

  private void fill(Fragment fragment, int start, int room, boolean sequenceStart) {
    IntArray tokens = new IntArray();
    IntArray documentStarts = new IntArray();
    if (sequenceStart) {
      documentStarts.add(0);
    }
    while (tokens.size() < room && hasNext()) {
      if (fresh) {
        if (!sequenceStart || tokens.size() > 0) {
          documentStarts.add(start + tokens.size());
        }
        documentStart = position;
        fresh = false;
      }
      tokens.add(document.nextInt());
      position++;
    }
    fragment.setTokens(tokens.toArray());
    fragment.setDocumentStarts(documentStarts.toArray());
  }
}
