/** Calls `wake` when the page is looked at again or the network is back; returns the way to stop. */
export function wakeWhenBack(wake: () => void): () => void {
  if (typeof document === 'undefined') return () => {};
  const whenVisible = (): void => {
    if (document.visibilityState === 'visible') wake();
  };
  document.addEventListener('visibilitychange', whenVisible);
  addEventListener('pageshow', wake);
  addEventListener('online', wake);
  return () => {
    document.removeEventListener('visibilitychange', whenVisible);
    removeEventListener('pageshow', wake);
    removeEventListener('online', wake);
  };
}
