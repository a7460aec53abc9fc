// The page /docs: every REST dialect of this server, to read and to try; which ones there are, the server says.
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import Presets from 'swagger-ui-dist/swagger-ui-standalone-preset.js';
import 'swagger-ui-dist/swagger-ui.css';

const answer = await fetch('/openapi');
const { descriptions } = await answer.json();

SwaggerUI({
  domNode: document.getElementById('root'),
  urls: descriptions,
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null, // the usual one is another host
  presets: [SwaggerUI.presets.apis, Presets],
  layout: 'StandaloneLayout',
});
