// The page: GraphiQL over this server's own endpoint, with example operations in its first tabs.
import { GraphiQL } from 'graphiql';
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { examples } from './examples.js';
import { connect } from './fetcher.js';
import { SignIn, remembered } from './SignIn.jsx';
import './page.css';

function Page() {
  const [authorization, setAuthorization] = useState(remembered);
  const connection = useMemo(() => connect(authorization), [authorization]);
  useEffect(() => () => connection.dispose(), [connection]);
  return (
    <>
      <SignIn authorization={authorization} onChange={setAuthorization} />
      <GraphiQL fetcher={connection.fetcher} defaultTabs={examples} shouldPersistHeaders={false} />
    </>
  );
}

createRoot(document.getElementById('root')).render(<Page />);
