import { Head } from "../ui/bits";

export function Jobs() {
  return <Head title="Jobs" />;
}
