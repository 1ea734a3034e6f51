import { useEffect, useState } from 'preact/hooks';

/** The pages of an open wallet; `rest` is what follows the page's name: an invoice, a channel's id. */
export interface Route {
  readonly page: string;
  readonly rest: string;
}

/** In the hash, so that the page works from any path and from a file. */
export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const follow = (): void => setRoute(currentRoute());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}

export function go(page: string): void {
  location.hash = `#/${page}`;
}

function currentRoute(): Route {
  const [page = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  return { page, rest: rest.join('/') };
}
