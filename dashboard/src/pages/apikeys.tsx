import { Head } from "../ui/bits";

export function ApiKeys() {
  return <Head title="API keys" />;
}
