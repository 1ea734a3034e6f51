import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ActivityList } from '../parts/activity-list.tsx';
import { Page } from '../parts/page.tsx';
import { useActivity } from '../wallet-context.ts';

const STEP = 50;

/** Every payment, a part at a time. */
export function ActivityPage(): JSX.Element {
  const [limit, setLimit] = useState(STEP);
  const activities = useActivity(limit);
  return (
    <Page title="Activity">
      <section class="card">
        <ActivityList activities={activities} now={Date.now()} />
      </section>
      {activities?.length === limit && (
        <button type="button" class="plain" onClick={() => setLimit(limit + STEP)}>
          Show more
        </button>
      )}
    </Page>
  );
}
